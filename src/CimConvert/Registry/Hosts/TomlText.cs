using System.Text;

namespace CimConvert.Registry.Hosts;

/// <summary>The document's text and a place in it.</summary>
internal sealed class TomlText
{
    private const char ByteOrderMark = '\uFEFF';

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _text;
    private readonly string _file;

    /// <exception cref="InvalidDataException">The bytes are not UTF-8.</exception>
    public TomlText(ReadOnlySpan<byte> bytes, string file)
    {
        _file = file;
        try
        {
            _text = s_strict.GetString(bytes).TrimStart(ByteOrderMark);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{file} is not UTF-8 text", e);
        }
    }

    public int Offset { get; private set; }

    public bool AtEnd => Offset == _text.Length;

    /// <summary>The character here; NUL, which no document may hold, at the end.</summary>
    public char Here => Offset < _text.Length ? _text[Offset] : '\0';

    public char Take()
    {
        var taken = Here;
        Offset += AtEnd ? 0 : 1;
        return taken;
    }

    public bool TryTake(string wanted)
    {
        if (!_text.AsSpan(Offset).StartsWith(wanted, StringComparison.Ordinal))
        {
            return false;
        }

        Offset += wanted.Length;
        return true;
    }

    public string TakeWhile(Func<char, bool> wanted)
    {
        var start = Offset;
        while (!AtEnd && wanted(Here))
        {
            Offset++;
        }

        return _text[start..Offset];
    }

    public void SkipBlanks() => TakeWhile(c => c is ' ' or '\t');

    public bool TryTakeNewLine() => TryTake("\n") || TryTake("\r\n");

    /// <summary>Blanks, ends of lines and comments: all that may stand between an array's values.</summary>
    public void SkipLines()
    {
        do
        {
            SkipBlanks();
            SkipComment();
        }
        while (TryTakeNewLine());
    }

    public void EndLine()
    {
        SkipBlanks();
        SkipComment();
        if (!AtEnd && !TryTakeNewLine())
        {
            throw Error($"{Named(Here)} after the end of a value; the next key needs a line of its own");
        }
    }

    /// <summary>TOML 1.0: "Control characters other than tab (U+0000 to U+0008, U+000A to U+001F, U+007F) are not permitted".</summary>
    public static bool IsForbidden(char c) => (c < ' ' && c != '\t') || c == '\u007f';

    public static string Named(char c) => c == '\0' ? "the end of the file" : $"'{Printable.Of(c.ToString())}'";

    public InvalidDataException Error(string message) => Error(Offset, message);

    public InvalidDataException Error(int offset, string message)
    {
        var before = _text.AsSpan(0, offset);
        var line = before.Count('\n') + 1;
        var column = offset - (before.LastIndexOf('\n') + 1) + 1;
        return new InvalidDataException($"{_file}, line {line}, column {column}: {message}");
    }

    private void SkipComment()
    {
        if (Here == '#')
        {
            TakeWhile(c => !IsForbidden(c));
        }
    }
}
