using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>
/// Reads a standard CIM file set whole and refuses the first thing that the format does not allow. Written from a description of the
/// format and without the product's code, so that the two can only agree by both being right about it.
/// </summary>
public sealed class CimWalker
{
    private const int FileSystemObjectLength = 24;
    private const int UpcaseLength = 0x10000;
    private const int LongestPath = 0x7fff;

    private readonly CimRegions regions;
    private readonly CimStreams streams;
    private readonly ushort[] upcase;
    private readonly CimFileTable files;
    private readonly List<WalkedEntry> entries = [];
    private readonly Dictionary<uint, WalkedEntry> readFiles = [];
    private readonly Dictionary<uint, HashSet<uint>> parentsOf = [];

    private CimWalker(CimRegions regions, CimOffset fileSystem)
    {
        this.regions = regions;
        streams = new CimStreams(regions);
        byte[] root = regions.Read(fileSystem, FileSystemObjectLength, "filesystem object");
        CimOffset upcaseTable = new(BinaryPrimitives.ReadUInt64LittleEndian(root));
        upcase = MemoryMarshal.Cast<byte, ushort>(regions.Read(upcaseTable, UpcaseLength * 2, "upcase table")).ToArray();
        CimOffset directory = new(BinaryPrimitives.ReadUInt64LittleEndian(root.AsSpan(8)));
        files = new CimFileTable(regions, directory, BinaryPrimitives.ReadUInt32LittleEndian(root.AsSpan(16)));
        RootId = BinaryPrimitives.ReadUInt32LittleEndian(root.AsSpan(20));
    }

    private uint RootId { get; }

    /// <summary>
    /// Reads <c>DIRECTORY/NAME.cim</c>. The region files of its parents are looked for there and in the further directories.
    /// </summary>
    public static WalkedCim Walk(string directory, string name, params string[] furtherDirectories)
    {
        string fileName = name.EndsWith(".cim", StringComparison.OrdinalIgnoreCase) ? name : name + ".cim";
        using CimFile file = new(Path.Combine(directory, fileName));
        byte[] header = CimHeaders.ReadCommon(file, CimFileType.FileSystem, CimHeaders.FileSystemLength);
        int parents = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(70));
        int parentBytes = parents * CimHeaders.RegionSetLength;
        CimHeaders.CheckLength(file, header, CimHeaders.FileSystemLength, CimHeaders.FileSystemLength + parentBytes);
        byte[] parentSets = file.Read(CimHeaders.FileSystemLength, parentBytes, "parent region sets");
        List<WalkedRegionSet> sets = [];
        for (int at = 0; at < parentBytes; at += CimHeaders.RegionSetLength)
        {
            sets.Add(CimHeaders.ReadSet(parentSets.AsSpan(at)));
        }

        sets.Add(CimHeaders.ReadSet(header.AsSpan(CimHeaders.CommonLength)));
        CimOffset fileSystem = new(BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(56)));
        using CimRegions opened = new(sets, [directory, .. furtherDirectories]);
        return new CimWalker(opened, fileSystem).WalkTree(sets);
    }

    private WalkedCim WalkTree(IReadOnlyList<WalkedRegionSet> sets)
    {
        parentsOf.Add(RootId, []);
        WalkedEntry root = ReadFile(RootId, "");
        if (!root.IsDirectory)
        {
            throw new CimWalkException("the root is no directory");
        }

        // A stack of our own: how deep a hostile tree goes is not for the thread's stack to find out.
        Stack<WalkedEntry> open = new([root]);
        while (open.TryPop(out WalkedEntry? next))
        {
            if (next.FileId != RootId)
            {
                entries.Add(next);
            }

            if (next.IsDirectory)
            {
                PushChildren(next, open);
            }
        }

        foreach (WalkedEntry entry in entries)
        {
            CheckParent(entry);
        }

        List<uint> unreached = [];
        for (uint id = 1; id <= files.Count; id++)
        {
            if (!parentsOf.ContainsKey(id) && !files.IsUnused(id))
            {
                unreached.Add(id);
            }
        }

        return new WalkedCim
        {
            Entries = entries,
            Root = root,
            FileTableLength = files.Count,
            UnreachedFiles = unreached,
            RegionSets = sets,
            ObjectIds = regions.ObjectIds,
        };
    }

    private void PushChildren(WalkedEntry directory, Stack<WalkedEntry> open)
    {
        List<WalkedEntry> children = [];
        foreach ((string name, byte[] value) in ReadDirectory(directory))
        {
            string path = directory.Path.Length == 0 ? name : directory.Path + "\\" + name;
            if (path.Length > LongestPath)
            {
                throw new CimWalkException($"a path of {path.Length} units under {path[..60]}...");
            }

            uint id = BinaryPrimitives.ReadUInt32LittleEndian(value);
            WalkedEntry child = ReadFile(id, path);
            bool first = parentsOf.TryAdd(id, []);
            if (child.IsDirectory && !first)
            {
                // Two names for a directory: a cycle, or a tree that is walked twice.
                throw new CimWalkException($"the directory {path}, file {id}, has another name already");
            }

            parentsOf[id].Add(directory.FileId);
            children.Add(child);
        }

        children.Reverse();
        children.ForEach(open.Push);
    }

    private IReadOnlyList<(string Name, byte[] Value)> ReadDirectory(WalkedEntry directory)
    {
        string owner = directory.Path.Length == 0 ? "the root" : directory.Path;
        CimStream stream = CimStream.Decode(files[directory.FileId][40..], owner);
        if (stream.Length == 0)
        {
            return [];
        }

        IReadOnlyList<(string Name, byte[] Value)> links =
            CimLinkTable.Read(regions, stream.Offset, sizeof(uint), upcase, owner, out int total);
        return total == stream.Length
            ? links
            : throw new CimWalkException($"the directory {owner} has {stream.Length} bytes, its link table {total}");
    }

    // A file with several names has one of its directories as its parent.
    private void CheckParent(WalkedEntry entry)
    {
        if (!parentsOf[entry.FileId].Contains(entry.ParentFileId))
        {
            throw new CimWalkException($"{entry.Path}, file {entry.FileId}, gives file {entry.ParentFileId} as its parent");
        }
    }

    // A file with many names is read once, under the first.
    private WalkedEntry ReadFile(uint id, string path)
    {
        if (!readFiles.TryGetValue(id, out WalkedEntry? known))
        {
            known = ReadNewFile(id, path);
            readFiles.Add(id, known);
        }

        return known with { Path = path };
    }

    private WalkedEntry ReadNewFile(uint id, string path)
    {
        ReadOnlySpan<byte> file = files[id];
        CimStream stream = CimStream.Decode(file[40..], path);
        bool directory = stream.Type == CimStreamType.LinkTable;
        return new WalkedEntry
        {
            Path = path,
            FileId = id,
            ParentFileId = BinaryPrimitives.ReadUInt32LittleEndian(file[88..]),
            IsDirectory = directory,
            Flags = BinaryPrimitives.ReadUInt16LittleEndian(file),
            ReparseTag = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]),
            CreationTime = BinaryPrimitives.ReadInt64LittleEndian(file[8..]),
            LastWriteTime = BinaryPrimitives.ReadInt64LittleEndian(file[16..]),
            ChangeTime = BinaryPrimitives.ReadInt64LittleEndian(file[24..]),
            LastAccessTime = BinaryPrimitives.ReadInt64LittleEndian(file[32..]),
            SecurityDescriptor = CountedBuffer(Offset(file[56..]), "security descriptor of " + path),
            ExtendedAttributes = RawBuffer(Offset(file[64..]), BinaryPrimitives.ReadUInt16LittleEndian(file[2..]), path),
            Reparse = CountedBuffer(Offset(file[72..]), "reparse buffer of " + path),
            Data = directory ? null : streams.Read("", stream, path),
            AlternateStreams = AlternateStreams(Offset(file[80..]), path),
        };
    }

    private static CimOffset Offset(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64LittleEndian(bytes));

    private byte[] CountedBuffer(CimOffset offset, string what)
    {
        if (offset.IsNull)
        {
            return [];
        }

        ushort length = BinaryPrimitives.ReadUInt16LittleEndian(regions.Read(offset, sizeof(ushort), what));
        return regions.Read(offset.Plus(sizeof(ushort)), length, what);
    }

    private byte[] RawBuffer(CimOffset offset, ushort length, string path)
    {
        if (offset.IsNull != (length == 0))
        {
            throw new CimWalkException($"{path} has {length} bytes of extended attributes at {offset}");
        }

        return length == 0 ? [] : regions.Read(offset, length, "extended attributes of " + path);
    }

    private List<WalkedStream> AlternateStreams(CimOffset offset, string path)
    {
        List<WalkedStream> found = [];
        if (offset.IsNull)
        {
            return found;
        }

        foreach ((string name, byte[] value) in CimLinkTable.Read(regions, offset, CimStream.EncodedLength, upcase, path, out _))
        {
            CimStream stream = CimStream.Decode(value, path + ":" + name);
            if (stream.Type == CimStreamType.LinkTable)
            {
                throw new CimWalkException($"the stream {path}:{name} is a directory");
            }

            found.Add(streams.Read(name, stream, path + ":" + name));
        }

        return found;
    }
}
