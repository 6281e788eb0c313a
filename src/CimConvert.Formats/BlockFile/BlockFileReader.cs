using System.Security.Cryptography;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.BlockFile;

/// <summary>
/// Opens a block file, and the files of its CIMs by name. A file with a digest is checked when it is opened; a block of a sealed
/// block file whenever it is read. Owns the underlying file. Not thread-safe.
/// </summary>
internal sealed class BlockFileReader : IDisposable
{
    private readonly IRandomReader _blocks;
    private readonly IReadOnlyList<BlockDirectory.Set> _sets;
    private readonly Superblock _superblock;

    /// <param name="file">Owned, also if the constructor throws.</param>
    /// <exception cref="InvalidDataException">The file is not a block file, or is incomplete or damaged.</exception>
    public BlockFileReader(IRandomReader file)
    {
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            _superblock = Superblock.Read(file);
            _blocks = _superblock.IsSealed ? new VerifiedReader(file, _superblock) : file;
            _sets = ReadDirectory();
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Names of the CIMs in the block file.</summary>
    public IEnumerable<string> SetNames => _sets.Select(s => s.Name);

    public bool IsSealed => _superblock.IsSealed;

    /// <summary>Bytes after the last block that belong to the file: a VHD footer, or 0.</summary>
    public uint TrailerSize => _superblock.TrailerSize;

    /// <summary>Bytes before the trailer.</summary>
    public long BlocksLength => _superblock.Blocks * BlockFileFormat.BlockSize;

    /// <summary>The root digest: the hash of the superblock. In a sealed file it covers every byte before the trailer.</summary>
    public byte[] Root => _superblock.Root();

    /// <summary>The files of one CIM. They must not outlive this reader.</summary>
    /// <exception cref="InvalidDataException">The block file has no CIM of that name.</exception>
    public IFileSet OpenSet(string name)
    {
        var set = _sets.FirstOrDefault(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase));
        return set is null
            ? throw new InvalidDataException($"the block CIM file holds no '{name}', only {string.Join(", ", SetNames.Select(n => $"'{n}'"))}")
            : new FileSet(this, set);
    }

    /// <summary>Names of the standard files of one CIM, in the order in which they were written.</summary>
    public IReadOnlyList<string> FileNames(string set) =>
        [.. _sets.First(s => string.Equals(s.Name, set, StringComparison.OrdinalIgnoreCase)).Files.Select(f => f.Name)];

    /// <summary>Reads every block of a sealed block file, which checks each against the seal. Does nothing if it is not sealed.</summary>
    public void VerifySeal(CancellationToken cancellationToken)
    {
        if (!IsSealed)
        {
            return;
        }

        var buffer = new byte[64 * BlockFileFormat.BlockSize];
        var end = _superblock.TreeBlock * BlockFileFormat.BlockSize;
        for (long offset = 0; offset < end; offset += buffer.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _blocks.ReadAt(offset, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset)));
        }
    }

    public void Dispose() => _blocks.Dispose();

    private IReadOnlyList<BlockDirectory.Set> ReadDirectory()
    {
        var directory = new byte[_superblock.DirectorySize];
        _blocks.ReadAt(_superblock.DirectoryBlock * BlockFileFormat.BlockSize, directory);
        if (!SHA256.HashData(directory).AsSpan().SequenceEqual(_superblock.DirectoryDigest))
        {
            throw new InvalidDataException("the block CIM file's directory does not match its checksum");
        }

        return BlockDirectory.Decode(directory, _superblock.ContentBlocks);
    }

    private sealed class FileSet(BlockFileReader owner, BlockDirectory.Set set) : IFileSet
    {
        public IRandomReader? TryOpen(string name)
        {
            var entry = set.Files.FirstOrDefault(f => string.Equals(f.Name, name, StringComparison.OrdinalIgnoreCase));
            if (entry is null)
            {
                return null;
            }

            var reader = new ExtentReader(owner._blocks, entry);
            CheckDigest(reader, entry);
            return reader;
        }

        private static void CheckDigest(ExtentReader reader, BlockDirectory.Entry entry)
        {
            if (!entry.Digest.AsSpan().ContainsAnyExcept((byte)0))
            {
                return;
            }

            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[64 * 1024];
            for (long offset = 0; offset < entry.Length; offset += buffer.Length)
            {
                var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, entry.Length - offset));
                reader.ReadAt(offset, chunk);
                hash.AppendData(chunk);
            }

            if (!hash.GetHashAndReset().AsSpan().SequenceEqual(entry.Digest))
            {
                throw new InvalidDataException($"file '{entry.Name}' in the block CIM file does not match its checksum");
            }
        }
    }

    /// <summary>Reads one file across its extents. Does not own the shared reader of blocks.</summary>
    private sealed class ExtentReader : IRandomReader
    {
        private readonly IRandomReader _blocks;
        private readonly IReadOnlyList<Extent> _extents;
        private readonly long[] _starts;

        public ExtentReader(IRandomReader blocks, BlockDirectory.Entry entry)
        {
            _blocks = blocks;
            _extents = entry.Extents;
            Length = entry.Length;
            _starts = new long[_extents.Count];
            for (var i = 1; i < _starts.Length; i++)
            {
                _starts[i] = _starts[i - 1] + (_extents[i - 1].Count * BlockFileFormat.BlockSize);
            }
        }

        public long Length { get; }

        public void ReadAt(long offset, Span<byte> destination)
        {
            this.CheckRange(offset, destination.Length);
            while (!destination.IsEmpty)
            {
                var found = Array.BinarySearch(_starts, offset);
                var index = found >= 0 ? found : ~found - 1;
                var within = offset - _starts[index];
                var count = (int)Math.Min(destination.Length, (_extents[index].Count * BlockFileFormat.BlockSize) - within);
                _blocks.ReadAt((_extents[index].Block * BlockFileFormat.BlockSize) + within, destination[..count]);
                offset += count;
                destination = destination[count..];
            }
        }

        public void Dispose()
        {
        }
    }
}
