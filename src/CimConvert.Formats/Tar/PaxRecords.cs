using System.Buffers;
using System.Runtime.InteropServices;

namespace CimConvert.Formats.Tar;

/// <summary>
/// The records of one PAX extended header, kept as bytes and looked up as spans, so that an entry's metadata allocates no
/// strings. Of several records with the same keyword the last one wins.
/// </summary>
internal sealed class PaxRecords : IDisposable
{
    /// <summary>
    /// Bytes of one header's records. A security descriptor has at most 64 KiB, and so have an entry's extended attributes
    /// together: in base64 under 200 KiB. The longest path adds 96 KiB.
    /// </summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>Records of one header. Real headers have about ten, plus one for each extended attribute.</summary>
    public const int MaxCount = 10_000;

    private readonly List<Record> _records = [];
    private byte[] _bytes = [];
    private int _used;

    internal PaxRecords()
    {
    }

    public int Count => _records.Count;

    public ReadOnlySpan<byte> Keyword(int index) => _bytes.AsSpan(_records[index].KeywordStart, _records[index].KeywordLength);

    public ReadOnlySpan<byte> Value(int index) => _bytes.AsSpan(_records[index].ValueStart, _records[index].ValueLength);

    public bool TryGet(ReadOnlySpan<byte> keyword, out ReadOnlySpan<byte> value)
    {
        for (var i = _records.Count - 1; i >= 0; i--)
        {
            if (Keyword(i).SequenceEqual(keyword))
            {
                value = Value(i);
                return true;
            }
        }

        value = default;
        return false;
    }

    public void Dispose()
    {
        Clear();
        Return();
    }

    internal void Clear()
    {
        _records.Clear();
        _used = 0;
    }

    /// <summary>Bytes left for another header's records.</summary>
    internal int Room => MaxBytes - _used;

    /// <summary>
    /// Returns a span for a header's records, after those already there: later global headers add to earlier ones.
    /// The caller asks for at most <see cref="Room"/> bytes, fills the span and calls <see cref="Index"/>.
    /// </summary>
    internal Span<byte> Extend(int length)
    {
        if (_bytes.Length < _used + length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_used + length);
            _bytes.AsSpan(0, _used).CopyTo(larger);
            Return();
            _bytes = larger;
        }

        return _bytes.AsSpan(_used, length);
    }

    /// <summary>Indexes the records in the <paramref name="length"/> bytes last added. Returns what is malformed, or null.</summary>
    internal string? Index(int length)
    {
        var end = _used + length;
        for (var start = _used; start < end;)
        {
            if (_records.Count == MaxCount)
            {
                return $"more than {MaxCount} PAX records";
            }

            // "%d %s=%s\n": the number is the length of the whole record, itself and the newline included.
            var rest = _bytes.AsSpan(start, end - start);
            var space = rest.IndexOf((byte)' ');
            if (space < 1 || !TarNumber.TryReadDecimal(rest[..space], out var size) || size > rest.Length || size < space + 3)
            {
                return "a PAX record with a wrong length";
            }

            var body = rest[(space + 1)..(int)size];
            var equals = body.IndexOf((byte)'=');
            if (equals < 1 || body[^1] != (byte)'\n')
            {
                return "a PAX record that is not 'keyword=value'";
            }

            var keywordStart = start + space + 1;
            _records.Add(new Record(keywordStart, equals, keywordStart + equals + 1, body.Length - equals - 2));
            start += (int)size;
        }

        _used = end;
        return null;
    }

    private void Return()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Record(int KeywordStart, int KeywordLength, int ValueStart, int ValueLength);
}
