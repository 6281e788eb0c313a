using System.Runtime.InteropServices;

namespace CimConvert.Formats.Cim;

/// <summary>Byte strings, each stored once: the files of a Windows layer share a few hundred security descriptors.</summary>
internal sealed class BlobTable
{
    /// <summary>
    /// Bytes in all. Windows' largest layers need a few MiB; the limit bounds the memory that a hostile layer can take.
    /// </summary>
    private const long MaxSize = 256L * 1024 * 1024;

    private readonly Dictionary<byte[], int> _indexes = new(BytesComparer.Instance);
    private readonly List<byte[]> _blobs = [];
    private long _size;

    public int Count => _blobs.Count;

    public ReadOnlySpan<byte> this[int index] => _blobs[index];

    /// <summary>Adds the bytes if they are new. Returns their index, or <see cref="CimFile.NoBlob"/> for none.</summary>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return CimFile.NoBlob;
        }

        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_indexes.GetAlternateLookup<ReadOnlySpan<byte>>(), bytes, out var known);
        if (!known)
        {
            _size += bytes.Length;
            if (_size > MaxSize)
            {
                throw new InvalidDataException($"more than {MaxSize} bytes of different security descriptors, EAs and reparse buffers");
            }

            index = _blobs.Count;
            _blobs.Add(bytes.ToArray());
        }

        return index;
    }

    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static BytesComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
