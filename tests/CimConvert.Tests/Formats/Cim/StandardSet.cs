using System.Buffers.Binary;
using CimConvert.Formats.Binary;
using CimConvert.Formats.BlockFile;
using CimConvert.Formats.Cim;
using CimConvert.Tests.Formats.BlockFile;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>
/// A CIM's standard files in memory, where no checksum protects them, with the places of its fields (src/CimConvert.Formats/Cim/FORMAT.md):
/// for changing any of them and opening the set again.
/// </summary>
internal sealed class StandardSet : IFileSet
{
    public const string CimName = "layer.cim";

    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    private StandardSet()
    {
    }

    /// <summary>The region that holds names and records.</summary>
    public byte[] Metadata => _files.Single(f => f.Key.StartsWith("region_", StringComparison.Ordinal) && f.Key.EndsWith("_0", StringComparison.Ordinal)).Value;

    public byte[] Filesystem => _files[CimName];

    public IEnumerable<byte[]> ObjectIds => _files.Where(f => f.Key.StartsWith("objectid_", StringComparison.Ordinal)).Select(f => f.Value);

    public long Size => _files.Values.Sum(f => (long)f.Length);

    /// <summary>Byte offset of the filesystem object in the metadata region.</summary>
    public int FilesystemObject => At(Filesystem, 56);

    public int FileTableDirectory => At(Metadata, FilesystemObject + 8);

    public int FileTable => At(Metadata, FileTableDirectory);

    public int FileCount => BinaryPrimitives.ReadUInt16LittleEndian(Metadata.AsSpan(FileTableDirectory + 8));

    public int UpcaseTable => At(Metadata, FilesystemObject);

    public static StandardSet Export(CimLab lab, Action<CimWriter> build)
    {
        var set = new StandardSet();
        var path = lab.Write("set", build, name: CimName);
        using var reader = BlockFiles.Open(File.ReadAllBytes(path));
        File.Delete(path);
        foreach (var name in reader.FileNames(CimName))
        {
            set._files.Add(name, BlockFiles.ReadFile(reader, CimName, name));
        }

        return set;
    }

    public StandardSet Copy()
    {
        var copy = new StandardSet();
        foreach (var (name, bytes) in _files)
        {
            copy._files.Add(name, bytes.ToArray());
        }

        return copy;
    }

    /// <summary>The same names with other content; object IDs are those of the first region.</summary>
    public StandardSet With(byte[] filesystem, byte[] metadata, byte[] objectIds)
    {
        var changed = new StandardSet();
        foreach (var (name, bytes) in _files)
        {
            changed._files.Add(
                name,
                name == CimName ? filesystem
                : ReferenceEquals(bytes, Metadata) ? metadata
                : ReferenceEquals(bytes, ObjectIds.First()) ? objectIds
                : bytes);
        }

        return changed;
    }

    public void SaveTo(string directory)
    {
        foreach (var (name, bytes) in _files)
        {
            File.WriteAllBytes(Path.Combine(directory, name), bytes);
        }
    }

    /// <summary>Offset of file <paramref name="id"/>'s record in the metadata region.</summary>
    public int Record(uint id) => FileTable + (((int)id - 1) * 96);

    public void U16(int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Metadata.AsSpan(at), value);

    public void U32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Metadata.AsSpan(at), value);

    public void U64(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Metadata.AsSpan(at), value);

    /// <summary>Offset of a directory's link table.</summary>
    public int LinkTable(uint directory) => At(Metadata, Record(directory) + 40);

    public IRandomReader? TryOpen(string name) => _files.TryGetValue(name, out var bytes) ? new MemoryReader(bytes) : null;

    /// <summary>
    /// Reads the set as every part of the product does: walk, all buffers, all streams, a merge over another CIM, verification.
    /// True where all of it went through.
    /// </summary>
    public bool ReadEverything(CimReader below, string scratch, out string? refusedWith)
    {
        refusedWith = null;
        try
        {
            using var cim = new CimReader(CimName, this);
            var entries = 0;
            foreach (var (path, entry) in CimWalk.Below(cim, CimPath.Root, cim.Root))
            {
                // A walk may be long, but not longer than its tables: 8 bytes a link at least.
                if (++entries > Size)
                {
                    throw new InvalidOperationException("the walk does not end");
                }

                Read(cim, path, entry);
            }

            for (var region = 0; region < cim.OwnRegions.Count; region++)
            {
                foreach (var _ in cim.Objects(region))
                {
                }
            }

            using var handle = File.OpenHandle(scratch, FileMode.Create, FileAccess.ReadWrite);
            var blocks = new BlockFileWriter(handle);
            CimMerge.Write(blocks.BeginSet("m.cim"), "m.cim", [cim, below], CancellationToken.None);
            return true;
        }
        catch (InvalidDataException e)
        {
            refusedWith = e.Message;
            return false;
        }
    }

    private static int At(byte[] bytes, int offset) => (int)(BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset)) & 0xffff_ffff_ffff);

    private static void Read(CimReader cim, CimPath path, CimEntry entry)
    {
        cim.SecurityDescriptor(entry);
        cim.ExtendedAttributes(entry);
        cim.Reparse(entry);
        cim.Find(path);
        if (entry.Has(CimFileFlags.MergeLink))
        {
            cim.MergeLinkTarget(entry);
        }

        foreach (var stream in cim.AlternateStreams(entry).Select(s => s.Stream).Append(entry.Data))
        {
            // Sparse streams have no end worth reading to: nothing of them is stored.
            if (!entry.IsDirectory && !stream.IsSparse)
            {
                cim.ReadAll(stream);
            }
        }
    }
}
