using System.Buffers.Binary;
using System.Security.Cryptography;
using CimConvert.Formats.Binary;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Formats.BlockFile;

/// <summary>
/// Writes a block file in one pass: the files of a set grow side by side, each through a buffer that takes the next free blocks
/// when it is full. Memory does not grow with the files, except for one extent (16 bytes) for about each MiB. The block file is
/// valid only after <see cref="Complete"/>.
/// </summary>
internal sealed class BlockFileWriter
{
    private readonly SafeFileHandle _handle;
    private readonly Action<long>? _settled;
    private readonly List<Set> _sets = [];

    /// <summary>The next free block; block 0 is the head.</summary>
    private long _end = 1;
    private long _settledEnd;

    /// <param name="handle">A new file, open for reading and writing. Not owned.</param>
    /// <param name="settled">Called with the number of bytes at the file's start that will not change any more.</param>
    public BlockFileWriter(SafeFileHandle handle, Action<long>? settled = null)
    {
        _handle = handle;
        _settled = settled;
        var head = new byte[BlockFileFormat.BlockSize];
        BlockFileFormat.HeadMagic.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(BlockFileFormat.HeadMagic.Length), BlockFileFormat.Version);
        RandomAccess.Write(handle, head, 0);
    }

    /// <summary>Starts a CIM, a set of files under one name. Sets are written one after another.</summary>
    public IFileSetWriter BeginSet(string name)
    {
        CheckName(name);
        if (_sets.Exists(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new InvalidDataException($"the block CIM file already holds '{name}'");
        }

        var set = new Set(this, name);
        _sets.Add(set);
        return set;
    }

    /// <summary>
    /// Writes the directory and, to seal the file, the hash tree; flushes them to disk, and only then writes and flushes the
    /// superblock. So a file left behind by a crash has no superblock and is seen to be incomplete.
    /// </summary>
    /// <param name="seal">Whether the root digest covers every block, and readers check every block.</param>
    /// <param name="hasTrailer">Whether the caller will append a 512-byte trailer.</param>
    /// <param name="cancellationToken">Stops the writing and leaves an unfinished file, which the caller removes.</param>
    /// <returns>The 32-byte root digest. In a sealed file it changes with any byte before the trailer.</returns>
    public byte[] Complete(bool seal, bool hasTrailer, CancellationToken cancellationToken)
    {
        foreach (var file in _sets.SelectMany(s => s.Files))
        {
            file.Finish();
        }

        var directory = BlockDirectory.Encode([.. _sets.Select(s => s.Describe())]);
        var digest = SHA256.HashData(directory);
        var size = directory.Length;
        var contentBlocks = _end + BlocksFor(size);
        Array.Resize(ref directory, (int)BlocksFor(size) * BlockFileFormat.BlockSize);
        RandomAccess.Write(_handle, directory, _end * BlockFileFormat.BlockSize);

        // Truncated streams may have left bytes beyond the end.
        RandomAccess.SetLength(_handle, contentBlocks * BlockFileFormat.BlockSize);
        var (top, end) = seal
            ? HashTreeWriter.Append(_handle, contentBlocks, cancellationToken)
            : (new byte[BlockFileFormat.DigestSize], contentBlocks);
        cancellationToken.ThrowIfCancellationRequested();
        RandomAccess.FlushToDisk(_handle);

        var superblock = new Superblock(
            Blocks: end + 1,
            TrailerSize: hasTrailer ? BlockFileFormat.TrailerSize : 0u,
            DirectoryBlock: _end,
            DirectorySize: size,
            DirectoryDigest: digest,
            TreeBlock: seal ? contentBlocks : 0,
            TreeTop: top);
        var block = new byte[BlockFileFormat.BlockSize];
        superblock.Write(block);
        RandomAccess.Write(_handle, block, end * BlockFileFormat.BlockSize);
        RandomAccess.FlushToDisk(_handle);
        return superblock.Root();
    }

    private static void CheckName(string name) => HostFileName.Check(name, "name in a block CIM file");

    private static long BlocksFor(long bytes) => Align.Up(bytes, BlockFileFormat.BlockSize) / BlockFileFormat.BlockSize;

    private void Settle()
    {
        if (_settledEnd < _end)
        {
            _settledEnd = _end;
            _settled?.Invoke(_end * BlockFileFormat.BlockSize);
        }
    }

    private sealed class Set(BlockFileWriter owner, string name) : IFileSetWriter
    {
        public string Name => name;

        public List<GrowingFile> Files { get; } = [];

        public IAppendableFile Create(bool digested)
        {
            var file = new GrowingFile(owner, digested);
            Files.Add(file);
            return file;
        }

        public void Publish(IAppendableFile file, string name)
        {
            CheckName(name);
            if (Files.Exists(f => string.Equals(f.Name, name, StringComparison.OrdinalIgnoreCase)))
            {
                throw new InvalidOperationException($"the set already has a file '{name}'");
            }

            var growing = (GrowingFile)file;
            growing.Finish();
            growing.Name = name;
        }

        public BlockDirectory.Set Describe() => new(name, [.. Files.Select(f => f.Describe())]);
    }

    private sealed class GrowingFile(BlockFileWriter owner, bool digested) : IAppendableFile
    {
        private const int BufferSize = 1024 * 1024;

        private readonly IncrementalHash? _hash = digested ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        private readonly List<Extent> _extents = [];
        private byte[]? _buffer = new byte[BufferSize];
        private byte[] _digest = new byte[BlockFileFormat.DigestSize];
        private int _used;
        private long _flushedBlocks;
        private long _length;

        public string? Name { get; set; }

        public long Length => _length;

        public void Append(ReadOnlySpan<byte> data)
        {
            var buffer = _buffer ?? throw new InvalidOperationException($"file '{Name}' is finished");
            _hash?.AppendData(data);
            _length += data.Length;
            while (!data.IsEmpty)
            {
                var count = Math.Min(data.Length, BufferSize - _used);
                data[..count].CopyTo(buffer.AsSpan(_used));
                _used += count;
                data = data[count..];
                if (_used == BufferSize)
                {
                    Flush();
                }
            }
        }

        public void Settle() => owner.Settle();

        public void TruncateTo(long length)
        {
            if (_hash is not null || _buffer is null || length < 0 || length % BlockFileFormat.BlockSize != 0 || length > _length)
            {
                throw new InvalidOperationException($"a file of {_length} bytes cannot be cut back to {length}");
            }

            var blocks = length / BlockFileFormat.BlockSize;
            _used = (int)Math.Max(0, length - (_flushedBlocks * BlockFileFormat.BlockSize));
            while (_flushedBlocks > blocks)
            {
                var last = _extents[^1];
                if (last.Block + last.Count != owner._end)
                {
                    throw new InvalidOperationException("only the last blocks of the block file can be taken back");
                }

                var taken = Math.Min(last.Count, _flushedBlocks - blocks);
                _flushedBlocks -= taken;
                owner._end -= taken;
                if (taken == last.Count)
                {
                    _extents.RemoveAt(_extents.Count - 1);
                }
                else
                {
                    _extents[^1] = last with { Count = last.Count - taken };
                }
            }

            _length = length;
        }

        /// <summary>Writes the rest of the buffer, its last block padded with zeros, and frees the buffer.</summary>
        public void Finish()
        {
            if (_buffer is null)
            {
                return;
            }

            var padded = (int)Align.Up(_used, BlockFileFormat.BlockSize);
            _buffer.AsSpan(_used..padded).Clear();
            _used = padded;
            Flush();
            _buffer = null;
            if (_hash is not null)
            {
                _digest = _hash.GetHashAndReset();
                _hash.Dispose();
            }
        }

        public BlockDirectory.Entry Describe() =>
            new(Name ?? throw new InvalidOperationException("a file of the set has no name"), _length, _digest, [.. _extents]);

        private void Flush()
        {
            var blocks = _used / BlockFileFormat.BlockSize;
            if (blocks == 0)
            {
                return;
            }

            RandomAccess.Write(owner._handle, _buffer.AsSpan(0, _used), owner._end * BlockFileFormat.BlockSize);
            if (_extents.Count > 0 && _extents[^1].Block + _extents[^1].Count == owner._end)
            {
                _extents[^1] = _extents[^1] with { Count = _extents[^1].Count + blocks };
            }
            else
            {
                _extents.Add(new Extent(owner._end, blocks));
            }

            owner._end += blocks;
            _flushedBlocks += blocks;
            _used = 0;
        }
    }
}
