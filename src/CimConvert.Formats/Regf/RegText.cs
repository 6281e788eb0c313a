using System.Text;

namespace CimConvert.Formats.Regf;

/// <summary>Writes the text of a <c>.reg</c> file through a buffer.</summary>
internal sealed class RegText(Stream output) : IDisposable
{
    private const int BlockSize = 64 * 1024;
    private const char LastLatin1 = '\u00FF';
    private const int HexPair = 2;

    private readonly byte[] _block = new byte[BlockSize];
    private int _used;

    public void Ascii(string text) => Write(Encoding.ASCII, text);

    public void Name(string text) =>
        Write(text.AsSpan().ContainsAnyExceptInRange('\0', LastLatin1) ? Encoding.UTF8 : Encoding.Latin1, text);

    public void Hex(ReadOnlySpan<byte> data)
    {
        for (var i = 0; i < data.Length; i++)
        {
            if (_block.Length - _used <= HexPair)
            {
                Flush();
            }

            if (i > 0)
            {
                _block[_used++] = (byte)',';
            }

            _block[_used++] = Digit(data[i] >> 4);
            _block[_used++] = Digit(data[i] & 0xf);
        }
    }

    public void Dispose() => Flush();

    private static byte Digit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);

    private void Write(Encoding encoding, string text)
    {
        if (encoding.GetMaxByteCount(text.Length) > _block.Length - _used)
        {
            Flush();
        }

        if (encoding.GetMaxByteCount(text.Length) > _block.Length)
        {
            output.Write(encoding.GetBytes(text));
            return;
        }

        _used += encoding.GetBytes(text, _block.AsSpan(_used));
    }

    private void Flush()
    {
        output.Write(_block, 0, _used);
        _used = 0;
    }
}
