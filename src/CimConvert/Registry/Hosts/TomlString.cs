using System.Globalization;
using System.Text;

namespace CimConvert.Registry.Hosts;

/// <summary>The four kinds of strings (TOML 1.0, "String").</summary>
internal static class TomlString
{
    private const string TripleBasic = "\"\"\"";
    private const string TripleLiteral = "'''";
    private const int ShortCode = 4;
    private const int LongCode = 8;

    /// <summary>Reads a string of any kind, of which the text stands at the first quote.</summary>
    public static string Read(TomlText text) =>
        text.TryTake(TripleBasic) ? ReadLines(text, TripleBasic)
        : text.TryTake(TripleLiteral) ? ReadLines(text, TripleLiteral)
        : ReadLine(text);

    /// <summary>A string on one line, which is also what a quoted key is.</summary>
    public static string ReadLine(TomlText text)
    {
        var start = text.Offset;
        var quote = text.Take();
        var value = new StringBuilder();
        while (text.Here != quote)
        {
            if (TomlText.IsForbidden(text.Here))
            {
                throw text.Error(start, "the string that starts here does not end on its line, or holds a control character");
            }

            Append(value, text, escapes: quote == '"');
        }

        text.Take();
        return value.ToString();
    }

    private static string ReadLines(TomlText text, string quotes)
    {
        var start = text.Offset - quotes.Length;
        var value = new StringBuilder();
        text.TryTakeNewLine();
        while (!text.TryTake(quotes))
        {
            if (text.TryTakeNewLine())
            {
                value.Append('\n');
            }
            else if (quotes == TripleBasic && IsLineFolded(text))
            {
                text.TakeWhile(c => c is ' ' or '\t' or '\n' or '\r');
            }
            else if (TomlText.IsForbidden(text.Here))
            {
                throw text.Error(start, "the string that starts here does not end, or holds a control character");
            }
            else
            {
                Append(value, text, escapes: quotes == TripleBasic);
            }
        }

        // Up to two quotes may stand before the closing three.
        value.Append(quotes[0], text.TakeWhile(c => c == quotes[0]) is { Length: <= 2 } more ? more.Length : throw text.Error("too many quotes"));
        return value.ToString();
    }

    private static bool IsLineFolded(TomlText text) =>
        text.TryTake("\\\n") || text.TryTake("\\\r\n");

    private static void Append(StringBuilder value, TomlText text, bool escapes)
    {
        if (text.Here != '\\' || !escapes)
        {
            value.Append(text.Take());
            return;
        }

        var start = text.Offset;
        text.Take();
        switch (text.Take())
        {
            case 'b': value.Append('\b'); break;
            case 't': value.Append('\t'); break;
            case 'n': value.Append('\n'); break;
            case 'f': value.Append('\f'); break;
            case 'r': value.Append('\r'); break;
            case '"': value.Append('"'); break;
            case '\\': value.Append('\\'); break;
            case 'u': value.Append(ReadCode(text, start, ShortCode)); break;
            case 'U': value.Append(ReadCode(text, start, LongCode)); break;
            default: throw text.Error(start, "no such escape; write paths in 'single quotes', or each \\ twice");
        }
    }

    private static string ReadCode(TomlText text, int start, int length)
    {
        var digits = new StringBuilder();
        while (digits.Length < length && char.IsAsciiHexDigit(text.Here))
        {
            digits.Append(text.Take());
        }

        return digits.Length == length
            && uint.TryParse(digits.ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            && Rune.TryCreate(code, out var rune)
            ? rune.ToString()
            : throw text.Error(start, $"an escape of {length} hex digits that name a character was expected");
    }
}
