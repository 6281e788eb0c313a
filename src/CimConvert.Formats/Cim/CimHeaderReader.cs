using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// The header of a filesystem file: the location of the filesystem object, and the region sets that offsets refer to. Untrusted.
/// </summary>
/// <param name="Version">2 or 3.</param>
/// <param name="Own">The CIM's own regions.</param>
/// <param name="Filesystem">Offset of the filesystem object.</param>
/// <param name="Parents">Region sets of the CIMs it is forked or merged from, in index order.</param>
internal sealed record CimHeader(uint Version, RegionSet Own, RegionOffset Filesystem, IReadOnlyList<RegionSet> Parents)
{
    /// <summary>Names of the CIM's own region and object ID files.</summary>
    public IEnumerable<string> OwnFileNames => Own.FileNames;

    /// <exception cref="InvalidDataException">The file is not a CIM's filesystem file, or is of an unsupported version.</exception>
    public static CimHeader Read(IRandomReader file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return CimHeaderReader.ReadFilesystem(file);
    }

    /// <summary>A region file's index in its set and its type.</summary>
    /// <exception cref="InvalidDataException">The file is not a region file, or is of an unsupported version.</exception>
    public static (int Index, RegionType Type) ReadRegion(IRandomReader file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return CimHeaderReader.ReadRegion(file);
    }
}

/// <summary>One entry of an object ID file: content stored in a data region.</summary>
internal readonly record struct CimObject(long Length, byte[] Digest, long Offset);

/// <summary>Reads and checks the headers of the standard files.</summary>
internal static class CimHeaderReader
{
    public static CimHeader ReadFilesystem(IRandomReader file)
    {
        Span<byte> fixedPart = stackalloc byte[CimFormat.FilesystemHeaderSize];
        var reader = Open(file, fixedPart, CimFileType.Filesystem, out var version);
        var own = ReadRegionSet(ref reader);
        var filesystem = new RegionOffset(reader.U64());
        reader.Skip(sizeof(uint) + sizeof(ushort));
        var count = reader.U16();
        if (count > CimFormat.MaxParents)
        {
            throw new InvalidDataException($"the CIM says it has {count} parents; at most {CimFormat.MaxParents} are read");
        }

        var bytes = new byte[count * CimFormat.RegionSetSize];
        file.ReadAt(CimFormat.FilesystemHeaderSize, bytes);
        var parentReader = new SpanReader(bytes);
        var parents = new RegionSet[count];
        for (var i = 0; i < count; i++)
        {
            parents[i] = ReadRegionSet(ref parentReader);
        }

        return parents.Sum(p => p.Count) + own.Count <= CimFormat.MaxRegions
            ? new CimHeader(version, own, filesystem, parents)
            : throw new InvalidDataException("the CIM says it has more regions than offsets can name");
    }

    public static (int Index, RegionType Type) ReadRegion(IRandomReader file)
    {
        Span<byte> header = stackalloc byte[CimFormat.RegionHeaderSize];
        var reader = Open(file, header, CimFileType.Region, out _);
        return (reader.U16(), (RegionType)reader.U8());
    }

    public static IEnumerable<CimObject> ReadObjectIds(IRandomReader file)
    {
        var (table, count) = ReadObjectIdHeader(file);
        file.CheckRange(table, (long)count * CimFormat.ObjectIdEntrySize);
        var entry = new byte[CimFormat.ObjectIdEntrySize];
        for (var i = 0L; i < count; i++)
        {
            file.ReadAt(table + (i * CimFormat.ObjectIdEntrySize), entry);
            yield return ParseObject(entry);
        }
    }

    private static CimObject ParseObject(ReadOnlySpan<byte> entry)
    {
        var reader = new SpanReader(entry);
        return new CimObject(reader.I64(), reader.Bytes(CimFormat.ObjectIdDigestSize).ToArray(), reader.I64());
    }

    private static (uint Table, uint Count) ReadObjectIdHeader(IRandomReader file)
    {
        Span<byte> header = stackalloc byte[CimFormat.ObjectIdHeaderSize];
        var reader = Open(file, header, CimFileType.ObjectId, out _);
        reader.Skip(sizeof(ulong));
        return (reader.U32(), reader.U32());
    }

    private static SpanReader Open(IRandomReader file, Span<byte> header, CimFileType type, out uint major)
    {
        file.ReadAt(0, header);
        if (!header.StartsWith(CimFormat.Magic))
        {
            throw new InvalidDataException("not a CIM file: it does not start with 'cimfile0'");
        }

        var reader = new SpanReader(header[CimFormat.Magic.Length..]);
        var length = reader.U32();
        var actual = (CimFileType)reader.U8();
        reader.Skip(3);
        major = reader.U32();
        reader.Skip(sizeof(uint));
        reader.Skip(sizeof(ulong));
        if (actual != type)
        {
            throw new InvalidDataException($"a CIM file of type {actual} where one of type {type} should be");
        }

        if (major is < CimFormat.VersionMajor or > CimFormat.MaxVersionMajor)
        {
            throw new InvalidDataException($"CIM version {major}: versions {CimFormat.VersionMajor} and {CimFormat.MaxVersionMajor} are read");
        }

        return length >= header.Length ? reader : throw new InvalidDataException($"a CIM file's header says it has {length} bytes, not {header.Length}");
    }

    private static RegionSet ReadRegionSet(ref SpanReader reader)
    {
        var set = new RegionSet(reader.Guid(), reader.U16());
        reader.Skip(sizeof(ushort) + sizeof(uint));
        return set;
    }
}
