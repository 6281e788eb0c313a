using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// Assigns an offset to every structure of the metadata region, in one pass over the finished tree; <see cref="CimEmitter"/> then
/// only writes. Order: filesystem object, file table directory, file tables, upcase table, buffers, link and stream tables.
/// </summary>
internal sealed class CimLayout
{
    private readonly List<CimFile> _files = [];
    private readonly List<Table> _tables = [];
    private readonly long[] _sizedBlobs;
    private readonly long[] _rawBlobs;
    private readonly int _region;
    private uint _nextId;
    private long _end = CimFormat.RegionHeaderSize;

    /// <param name="tree">Complete: nothing may be added to it afterwards.</param>
    /// <param name="region">Index of the metadata region, parents' regions counted first.</param>
    /// <param name="fork">What a forked CIM shares with its parent; null if the CIM is not forked.</param>
    public CimLayout(CimTree tree, int region, CimFork? fork = null)
    {
        Tree = tree;
        _region = region;
        _nextId = CimFileTables.FirstNewId(fork?.Parent);
        _sizedBlobs = new long[tree.Blobs.Count];
        _rawBlobs = new long[tree.Blobs.Count];
        NumberFiles(tree.Root);
        if (fork?.Parent is { } parent)
        {
            _files.AddRange(fork.MovedFiles());
            _files.Sort(static (x, y) => x.Id.CompareTo(y.Id));
            InheritedUpcaseTable = parent.UpcaseOffset;
        }

        FileTables = new CimFileTables(_files, fork?.Parent);
        FilesystemObject = Place(CimFormat.FilesystemObjectSize);
        FileTableDirectory = Place((long)FileTables.Count * CimFormat.FileTableEntrySize);
        OwnFileTables = Place(FileTables.OwnSize);
        UpcaseTable = InheritedUpcaseTable.IsNull ? Place(Cim.UpcaseTable.SizeInBytes) : 0;
        PlaceBlobs();
        PlaceTables();
    }

    public CimTree Tree { get; }

    public CimFileTables FileTables { get; }

    public long FilesystemObject { get; }

    public long FileTableDirectory { get; }

    /// <summary>Offset of the first own file table.</summary>
    public long OwnFileTables { get; }

    /// <summary>Offset of the own upcase table; 0 if the parent's is used.</summary>
    public long UpcaseTable { get; }

    /// <summary>The parent's upcase table; null if the CIM has its own.</summary>
    public RegionOffset InheritedUpcaseTable { get; }

    /// <summary>The buffers stored with a 16-bit length (security descriptors, reparse buffers), with their offsets.</summary>
    public IEnumerable<(int Blob, long Offset)> SizedBlobs => Used(_sizedBlobs);

    /// <summary>The buffers stored without a length (EAs, PE image records), with their offsets.</summary>
    public IEnumerable<(int Blob, long Offset)> RawBlobs => Used(_rawBlobs);

    /// <summary>Link and stream tables, in the order in which they are written.</summary>
    public IReadOnlyList<Table> Tables => _tables;

    public RegionOffset SizedBlob(int blob) => blob == CimFile.NoBlob ? RegionOffset.Null : At(_sizedBlobs[blob]);

    public RegionOffset RawBlob(int blob) => blob == CimFile.NoBlob ? RegionOffset.Null : At(_rawBlobs[blob]);

    /// <summary>The region offset of a byte offset in this metadata region.</summary>
    public RegionOffset At(long offset) => new(_region, offset);

    private static IEnumerable<(int Blob, long Offset)> Used(long[] offsets)
    {
        for (var i = 0; i < offsets.Length; i++)
        {
            if (offsets[i] != 0)
            {
                yield return (i, offsets[i]);
            }
        }
    }

    private static KeyValuePair<string, CimFile>[] Sorted(CimFile directory)
    {
        var links = directory.Children!.ToArray();
        Array.Sort(links, static (x, y) => NameComparer.Instance.Compare(x.Key, y.Key));
        return links;
    }

    private static long TableSize(IEnumerable<string> names, int count, int entrySize)
    {
        var size = CimFormat.LinkTableHeaderSize + ((long)count * (entrySize + sizeof(uint)));
        foreach (var name in names)
        {
            size += sizeof(ushort) + (name.Length * sizeof(char));
        }

        return size <= uint.MaxValue ? size : throw new InvalidDataException($"a directory of {count} names is too large for a link table");
    }

    /// <summary>
    /// Numbers the files that have no id from the parent, depth first, names sorted. Without recursion: a path may have
    /// 16,000 components.
    /// </summary>
    private void NumberFiles(CimFile root)
    {
        Number(root, parent: root);
        var pending = new Stack<(CimFile Directory, KeyValuePair<string, CimFile>[] Links, int Next)>();
        pending.Push((root, AddDirectoryTable(root), 0));
        while (pending.TryPop(out var current))
        {
            if (current.Next == current.Links.Length)
            {
                continue;
            }

            pending.Push((current.Directory, current.Links, current.Next + 1));
            var file = current.Links[current.Next].Value;
            if (file.IsShared || (file.Id != 0 && !file.IsKept))
            {
                continue;
            }

            Number(file, current.Directory);
            if (file.Children is { Count: > 0 })
            {
                pending.Push((file, AddDirectoryTable(file), 0));
            }
        }
    }

    private KeyValuePair<string, CimFile>[] AddDirectoryTable(CimFile directory)
    {
        var links = Sorted(directory);
        if (links.Length > 0 && !directory.KeepsLinks)
        {
            _tables.Add(new Table(directory, links, []) { Size = TableSize(links.Select(l => l.Key), links.Length, sizeof(uint)) });
        }

        return links;
    }

    private void Number(CimFile file, CimFile parent)
    {
        file.Id = file.IsKept ? file.Id : _nextId++;
        file.ParentId = parent.Id;
        if (file.Record is null || !file.KeepsLinks)
        {
            _files.Add(file);
        }

        if (file.Data.Data.IsNull)
        {
            // hcsshim's reader of 2021 (FORMAT.md) refuses a null offset even for an empty stream, so any valid one is given.
            file.Data = new CimStream(At(CimFormat.RegionHeaderSize), 0, file.IsDirectory ? CimStreamType.LinkTable : CimStreamType.Data);
        }

        if (file.AlternateStreams is { Count: > 0 } streams)
        {
            var sorted = streams.Values.ToArray();
            Array.Sort(sorted, static (x, y) => NameComparer.Instance.Compare(x.Name, y.Name));
            _tables.Add(new Table(file, [], sorted) { Size = TableSize(sorted.Select(s => s.Name), sorted.Length, CimFormat.StreamSize) });
        }
    }

    private void PlaceBlobs()
    {
        foreach (var file in _files)
        {
            PlaceBlob(file.SecurityDescriptor, _sizedBlobs, sizeof(ushort));
            PlaceBlob(file.Reparse, _sizedBlobs, sizeof(ushort));
            PlaceBlob(file.ExtendedAttributes, _rawBlobs, 0);
            PlaceBlob(file.PeImage, _rawBlobs, 0);
            if (file.PeImage != CimFile.NoBlob)
            {
                file.Data = file.Data with { Data = RawBlob(file.PeImage) };
            }
        }
    }

    private void PlaceBlob(int blob, long[] offsets, int prefix)
    {
        if (blob != CimFile.NoBlob && offsets[blob] == 0)
        {
            offsets[blob] = Place(prefix + Tree.Blobs[blob].Length);
        }
    }

    private void PlaceTables()
    {
        foreach (var table in _tables)
        {
            var offset = At(Place(table.Size));
            if (table.Streams.Length > 0)
            {
                table.Owner.StreamTable = offset;
            }
            else
            {
                table.Owner.Data = new CimStream(offset, table.Size, CimStreamType.LinkTable);
            }
        }
    }

    private long Place(long size)
    {
        var offset = Align.Up(_end, CimFormat.SmallAlignment);
        _end = offset + size;
        return offset;
    }

    /// <summary>A directory's link table or a file's stream table: one of the two arrays is empty.</summary>
    public sealed class Table(CimFile owner, KeyValuePair<string, CimFile>[] links, CimAlternateStream[] streams)
    {
        public CimFile Owner => owner;

        public KeyValuePair<string, CimFile>[] Links => links;

        public CimAlternateStream[] Streams => streams;

        public required long Size { get; init; }
    }
}
