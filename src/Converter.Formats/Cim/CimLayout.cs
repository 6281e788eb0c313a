using Converter.Formats.Binary;

namespace Converter.Formats.Cim;

/// <summary>
/// Gives every structure of the metadata region its place, in one pass over the finished tree; <see cref="CimEmitter"/> then
/// only writes. Order: filesystem object, file table directory, file tables, upcase table, buffers, link and stream tables.
/// </summary>
internal sealed class CimLayout
{
    private readonly List<CimFile> _files = [];
    private readonly List<Table> _tables = [];
    private readonly long[] _sizedBlobs;
    private readonly long[] _rawBlobs;
    private readonly int _region;
    private long _end = CimFormat.RegionHeaderSize;

    /// <param name="tree">Finished: nothing may be added to it afterwards.</param>
    /// <param name="region">Index of the metadata region, parents' regions counted first.</param>
    public CimLayout(CimTree tree, int region)
    {
        Tree = tree;
        _region = region;
        _sizedBlobs = new long[tree.Blobs.Count];
        _rawBlobs = new long[tree.Blobs.Count];
        NumberFiles(tree.Root);

        FilesystemObject = Place(CimFormat.FilesystemObjectSize);
        FileTableDirectory = Place((long)FileTableCount * CimFormat.FileTableEntrySize);
        FileTables = Place((long)_files.Count * CimFormat.FileSize);
        UpcaseTable = Place(Cim.UpcaseTable.SizeInBytes);
        PlaceBlobs();
        PlaceTables();
    }

    public CimTree Tree { get; }

    /// <summary>In order of their ids, which start at 1: depth first, names sorted.</summary>
    public IReadOnlyList<CimFile> Files => _files;

    public int FileTableCount => (_files.Count + CimFormat.FilesPerTable - 1) / CimFormat.FilesPerTable;

    public long FilesystemObject { get; }

    public long FileTableDirectory { get; }

    /// <summary>The file tables, one right behind the other.</summary>
    public long FileTables { get; }

    public long UpcaseTable { get; }

    /// <summary>Buffers behind a 16-bit length (descriptors, reparse data) that are used, with their offsets.</summary>
    public IEnumerable<(int Blob, long Offset)> SizedBlobs => Used(_sizedBlobs);

    /// <summary>Buffers stored bare (EAs) that are used, with their offsets.</summary>
    public IEnumerable<(int Blob, long Offset)> RawBlobs => Used(_rawBlobs);

    /// <summary>Link and stream tables in the order they are written.</summary>
    public IReadOnlyList<Table> Tables => _tables;

    public RegionOffset SizedBlob(int blob) => blob == CimFile.NoBlob ? RegionOffset.Null : At(_sizedBlobs[blob]);

    public RegionOffset RawBlob(int blob) => blob == CimFile.NoBlob ? RegionOffset.Null : At(_rawBlobs[blob]);

    /// <summary>The region offset of a place in this metadata region.</summary>
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

    /// <summary>Depth first without recursion: a path may have 16,000 components.</summary>
    private void NumberFiles(CimFile root)
    {
        Number(root, parent: root);
        var pending = new Stack<(CimFile Directory, KeyValuePair<string, CimFile>[] Links, int Next)>();
        pending.Push((root, AddDirectoryTable(root), 0));
        while (pending.TryPop(out var at))
        {
            if (at.Next == at.Links.Length)
            {
                continue;
            }

            pending.Push((at.Directory, at.Links, at.Next + 1));
            var file = at.Links[at.Next].Value;
            if (file.Id != 0)
            {
                continue;
            }

            Number(file, at.Directory);
            if (file.Children is { Count: > 0 })
            {
                pending.Push((file, AddDirectoryTable(file), 0));
            }
        }
    }

    private KeyValuePair<string, CimFile>[] AddDirectoryTable(CimFile directory)
    {
        var links = Sorted(directory);
        if (links.Length > 0)
        {
            _tables.Add(new Table(directory, links, []) { Size = TableSize(links.Select(l => l.Key), links.Length, sizeof(uint)) });
        }

        return links;
    }

    private void Number(CimFile file, CimFile parent)
    {
        _files.Add(file);
        file.Id = (uint)_files.Count;
        file.ParentId = parent.Id;
        if (file.Data.Data.IsNull)
        {
            // Nothing is there, and its offset is not null for the reader of 2021 that refuses null ones.
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
