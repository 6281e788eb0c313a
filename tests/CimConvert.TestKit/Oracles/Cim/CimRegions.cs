using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>A place in a CIM: a region by its number over all sets, and a byte in its file. Zero is none.</summary>
internal readonly record struct CimOffset(ulong Value)
{
    public bool IsNull => Value == 0;

    public int Region => (int)(Value >> 48);

    public long Byte => (long)(Value & 0xffff_ffff_ffff);

    public CimOffset Plus(long bytes) => new(Value + (ulong)bytes);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Region}:{Byte:x}");
}

/// <summary>All region files of a CIM, and their object ID files, checked when opened.</summary>
internal sealed class CimRegions : IDisposable
{
    private const int ObjectIdEntryLength = 40;
    private const int DigestLength = 24;

    private readonly List<CimFile> files = [];
    private readonly string[] directories;

    public CimRegions(IReadOnlyList<WalkedRegionSet> sets, string[] directories)
    {
        this.directories = directories;
        try
        {
            foreach (WalkedRegionSet set in sets)
            {
                OpenSet(set);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int ObjectIds { get; private set; }

    public byte[] Read(CimOffset offset, int length, string what)
    {
        Check(offset, length, what);
        return files[offset.Region].Read(offset.Byte, length, what);
    }

    public void ReadExactly(CimOffset offset, Span<byte> target) => files[offset.Region].ReadExactly(offset.Byte, target);

    /// <summary>Refuses what is nowhere, in a header, or does not lie whole in its region.</summary>
    public void Check(CimOffset offset, long length, string what)
    {
        if (offset.IsNull || offset.Region >= files.Count)
        {
            throw new CimWalkException($"the {what} is at {offset}, and there are {files.Count} regions");
        }

        if (offset.Byte < CimHeaders.RegionLength)
        {
            throw new CimWalkException($"the {what} is at {offset}, inside the region's header");
        }

        files[offset.Region].Check(offset.Byte, length, what);
    }

    public void Dispose()
    {
        foreach (CimFile file in files)
        {
            file.Dispose();
        }
    }

    private void OpenSet(WalkedRegionSet set)
    {
        for (int i = 0; i < set.Count; i++)
        {
            CimFile region = new(FindFile("region", set.Id, i));
            files.Add(region);
            byte[] header = CimHeaders.ReadCommon(region, CimFileType.Region, CimHeaders.RegionLength);
            CimHeaders.CheckLength(region, header, CimHeaders.RegionLength);
            byte type = CimHeaders.CheckRegionIdentity(region, header, i);
            using CimFile objectIds = new(FindFile("objectid", set.Id, i));
            CheckObjectIds(objectIds, region, i, type);
        }
    }

    private string FindFile(string kind, Guid set, int index)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{kind}_{set:D}_{index}");
        return directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists)
            ?? throw new CimWalkException($"there is no file {name} in {string.Join(", ", directories)}");
    }

    private void CheckObjectIds(CimFile file, CimFile region, int index, byte type)
    {
        byte[] header = CimHeaders.ReadCommon(file, CimFileType.ObjectIds, CimHeaders.ObjectIdLength);
        CimHeaders.CheckLength(file, header, CimHeaders.ObjectIdLength);
        if (CimHeaders.CheckRegionIdentity(file, header, index) != type)
        {
            throw file.Error("has another region type than its region");
        }

        uint table = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(40));
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(44));
        file.Check(table, (long)count * ObjectIdEntryLength, "object ID table");
        for (uint i = 0; i < count; i++)
        {
            byte[] entry = file.Read(table + ((long)i * ObjectIdEntryLength), ObjectIdEntryLength, "object ID");
            CheckObjectId(file, region, index, entry);
        }

        ObjectIds += (int)count;
    }

    private void CheckObjectId(CimFile file, CimFile region, int index, byte[] entry)
    {
        long length = CimNumbers.Length(BinaryPrimitives.ReadUInt64LittleEndian(entry), "object");
        CimOffset offset = new(BinaryPrimitives.ReadUInt64LittleEndian(entry.AsSpan(32)));
        // It is not known whether the offset names its region. Zero, the set's index and the number over all sets all may.
        if (offset.Region != 0 && offset.Region != index && offset.Region != files.Count - 1)
        {
            throw file.Error($"has an object at {offset}");
        }

        region.Check(offset.Byte, length, "object");
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        CimNumbers.ForEachPiece(length, (at, piece) =>
        {
            region.ReadExactly(offset.Byte + at, piece);
            hash.AppendData(piece);
        });
        if (!hash.GetHashAndReset().AsSpan(0, DigestLength).SequenceEqual(entry.AsSpan(8, DigestLength)))
        {
            throw file.Error($"has another digest for the {length} bytes at {offset} than they have");
        }
    }
}
