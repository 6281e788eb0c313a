using System.Buffers.Binary;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.BlockFile;

/// <summary>The block file's directory: its CIMs, the files of each CIM, and the extents of each file.</summary>
internal static class BlockDirectory
{
    /// <summary>A CIM: the standard files that belong to it.</summary>
    public sealed record Set(string Name, IReadOnlyList<Entry> Files);

    /// <param name="Name">The file's name in a standard file set.</param>
    /// <param name="Length">Bytes of the file.</param>
    /// <param name="Digest">SHA-256 of the content; zeros for a data region, whose contents have digests in the object ID files.</param>
    /// <param name="Extents">In order; together exactly as many blocks as the length needs.</param>
    public sealed record Entry(string Name, long Length, byte[] Digest, IReadOnlyList<Extent> Extents);

    public static byte[] Encode(IReadOnlyList<Set> sets)
    {
        var files = sets.SelectMany(s => s.Files).ToArray();
        var extents = files.SelectMany(f => f.Extents).ToArray();
        var names = sets.Select(s => s.Name).Concat(files.Select(f => f.Name)).ToArray();
        var size = BlockFileFormat.DirectoryHeaderSize
            + (sets.Count * BlockFileFormat.SetEntrySize)
            + (files.Length * BlockFileFormat.FileEntrySize)
            + (extents.Length * BlockFileFormat.ExtentSize)
            + names.Sum(n => n.Length * sizeof(char));
        var to = new Writer(new byte[size]);
        to.U32(sets.Count);
        to.U32(files.Length);
        to.U32(extents.Length);
        to.U32(0);
        var (file, extent) = (0, 0);
        foreach (var set in sets)
        {
            to.U32(set.Name.Length);
            to.U32(file);
            to.U32(set.Files.Count);
            to.U32(0);
            file += set.Files.Count;
        }

        foreach (var entry in files)
        {
            to.U64(entry.Length);
            to.U32(entry.Name.Length);
            to.U32(extent);
            to.U32(entry.Extents.Count);
            to.U32(0);
            to.Bytes(entry.Digest);
            extent += entry.Extents.Count;
        }

        foreach (var run in extents)
        {
            to.U64(run.Block);
            to.U64(run.Count);
        }

        foreach (var name in names)
        {
            to.Utf16(name);
        }

        return to.Buffer;
    }

    /// <exception cref="InvalidDataException">Counts, names or extents contradict each other or the block file's size.</exception>
    public static IReadOnlyList<Set> Decode(ReadOnlySpan<byte> directory, long blocks)
    {
        var reader = new SpanReader(directory);
        var (setCount, fileCount, extentCount) = (reader.U32(), reader.U32(), reader.U32());
        reader.Skip(sizeof(uint));
        var fixedSize = ((long)setCount * BlockFileFormat.SetEntrySize)
            + ((long)fileCount * BlockFileFormat.FileEntrySize)
            + ((long)extentCount * BlockFileFormat.ExtentSize);
        if (fixedSize > reader.Remaining)
        {
            throw new InvalidDataException("the block CIM file's directory is shorter than its counts say");
        }

        var setHeads = new (int NameLength, uint FirstFile, uint Files)[setCount];
        for (var i = 0; i < setHeads.Length; i++)
        {
            setHeads[i] = (NameLength(reader.U32()), reader.U32(), reader.U32());
            reader.Skip(sizeof(uint));
        }

        var fileHeads = new (long Length, int NameLength, uint FirstExtent, uint Extents, byte[] Digest)[fileCount];
        for (var i = 0; i < fileHeads.Length; i++)
        {
            var (length, nameLength, firstExtent, extents) = (reader.I64(), NameLength(reader.U32()), reader.U32(), reader.U32());
            reader.Skip(sizeof(uint));
            fileHeads[i] = (length, nameLength, firstExtent, extents, reader.Bytes(BlockFileFormat.DigestSize).ToArray());
        }

        var allExtents = new Extent[extentCount];
        for (var i = 0; i < allExtents.Length; i++)
        {
            allExtents[i] = new Extent(reader.I64(), reader.I64());
        }

        var setNames = new string[setHeads.Length];
        for (var i = 0; i < setNames.Length; i++)
        {
            setNames[i] = Name(reader.Utf16(setHeads[i].NameLength));
        }

        CheckRepeats(setNames);

        var files = new Entry[fileHeads.Length];
        var taken = 0;
        for (var i = 0; i < files.Length; i++)
        {
            var head = fileHeads[i];
            var entry = new Entry(
                Name(reader.Utf16(head.NameLength)), head.Length, head.Digest, Take(allExtents, ref taken, head.FirstExtent, head.Extents));
            Check(entry, blocks);
            files[i] = entry;
        }

        var sets = new Set[setHeads.Length];
        taken = 0;
        for (var i = 0; i < sets.Length; i++)
        {
            sets[i] = new Set(setNames[i], Take(files, ref taken, setHeads[i].FirstFile, setHeads[i].Files));
            CheckRepeats(sets[i].Files.Select(file => file.Name));
        }

        return sets;
    }

    /// <summary>
    /// The next slice of a list. Slices must be consecutive: if they could overlap, a small directory could expand without bound.
    /// </summary>
    private static ArraySegment<T> Take<T>(T[] all, ref int taken, uint first, uint count)
    {
        if (first != taken || count > all.Length - taken)
        {
            throw new InvalidDataException("the block CIM file's directory has an index that is out of range or out of order");
        }

        var run = new ArraySegment<T>(all, taken, (int)count);
        taken += (int)count;
        return run;
    }

    private static int NameLength(uint length) =>
        length is > 0 and <= BlockFileFormat.MaxNameLength ? (int)length : throw new InvalidDataException($"the block CIM file's directory has a name of {length} UTF-16 units");

    /// <summary>Checked because export creates files of these names: none may leave the target directory or name a device.</summary>
    private static string Name(string name) => HostFileName.Validate(name) is { } problem
        ? throw new InvalidDataException($"the block CIM file's directory has a name that {problem}")
        : name;

    /// <summary>Refuses names that differ only in case: lookups ignore case and would never find the second.</summary>
    private static void CheckRepeats(IEnumerable<string> names)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in names)
        {
            if (!seen.Add(name))
            {
                throw new InvalidDataException($"the block CIM file's directory has the name '{name}' twice");
            }
        }
    }

    private static void Check(Entry entry, long blocks)
    {
        var held = 0L;
        foreach (var extent in entry.Extents)
        {
            // Block 0 is the head.
            if (extent.Block < 1 || extent.Count < 1 || extent.Block >= blocks || extent.Count > blocks - extent.Block)
            {
                throw new InvalidDataException($"file '{entry.Name}' has blocks {extent.Block}..+{extent.Count} of a container of {blocks}");
            }

            held += extent.Count;
            if (held > blocks)
            {
                break;
            }
        }

        // Compared in blocks, not bytes, because rounding up a length near long.MaxValue would overflow.
        if (entry.Length < 0 || held > blocks
            || (entry.Length / BlockFileFormat.BlockSize) + (entry.Length % BlockFileFormat.BlockSize == 0 ? 0 : 1) != held)
        {
            throw new InvalidDataException($"file '{entry.Name}' has {entry.Length} bytes but {held} blocks");
        }
    }

    private struct Writer(byte[] buffer)
    {
        private int _position;

        public readonly byte[] Buffer => buffer;

        public void U32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(sizeof(int)), value);

        public void U64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(sizeof(long)), value);

        public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

        public void Utf16(string text)
        {
            foreach (var unit in text)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(Take(sizeof(char)), unit);
            }
        }

        private Span<byte> Take(int count)
        {
            var span = buffer.AsSpan(_position, count);
            _position += count;
            return span;
        }
    }
}
