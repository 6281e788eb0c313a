using System.Globalization;

namespace CimConvert.Registry.Hosts;

/// <summary>
/// Reads the part of TOML 1.0 that a hosts.toml can hold: tables, dotted and quoted keys, strings, integers, booleans, arrays and
/// inline tables. Floats, dates and arrays of tables, which mean nothing there, are errors. No TOML package is served where
/// this project builds.
/// </summary>
internal sealed class TomlReader
{
    /// <summary>Far more than any real file has, and little enough to hold several times over.</summary>
    public const int MaxBytes = 256 << 10;

    public const int MaxDepth = 16;

    private readonly TomlText _text;

    private TomlReader(TomlText text) => _text = text;

    /// <param name="bytes">The file's content.</param>
    /// <param name="file">Its name, for errors, which also give line and column.</param>
    /// <exception cref="InvalidDataException">It is not TOML, or not of the part above.</exception>
    public static TomlDocument Read(ReadOnlySpan<byte> bytes, string file)
    {
        if (bytes.Length > MaxBytes)
        {
            throw new InvalidDataException($"{file} has {bytes.Length} bytes, more than the {MaxBytes} allowed");
        }

        var text = new TomlText(bytes, file);
        return new TomlDocument(new TomlReader(text).ReadDocument(), text);
    }

    private TomlTable ReadDocument()
    {
        var root = new TomlTable(TomlTable.Origin.Header);
        var table = root;
        for (_text.SkipLines(); !_text.AtEnd; _text.SkipLines())
        {
            if (_text.Here == '[')
            {
                table = ReadHeader(root);
            }
            else
            {
                ReadPair(table, depth: 0);
            }

            _text.EndLine();
        }

        return root;
    }

    private TomlTable ReadHeader(TomlTable root)
    {
        var start = _text.Offset;
        _text.Take();
        if (_text.Here == '[')
        {
            throw _text.Error(start, "arrays of tables are not used in a hosts file");
        }

        var key = ReadKey();
        Expect(']');
        var table = root;
        foreach (var part in key)
        {
            table = Enter(table, part, TomlTable.Origin.Path, start, existing => existing.MadeBy is not TomlTable.Origin.Inline);
        }

        if (table.MadeBy is not TomlTable.Origin.Path)
        {
            throw _text.Error(start, $"the table '{Printable.Of(key[^1])}' is defined twice");
        }

        table.MadeBy = TomlTable.Origin.Header;
        return table;
    }

    private void ReadPair(TomlTable table, int depth)
    {
        var start = _text.Offset;
        var key = ReadKey();
        foreach (var part in key.SkipLast(1))
        {
            table = Enter(table, part, TomlTable.Origin.DottedKey, start, existing => existing.MadeBy is TomlTable.Origin.DottedKey);
        }

        Expect('=');
        _text.SkipBlanks();
        if (!table.TryAdd(key[^1], ReadValue(depth)))
        {
            throw _text.Error(start, $"'{Printable.Of(key[^1])}' is defined twice");
        }
    }

    private TomlTable Enter(TomlTable table, string key, TomlTable.Origin origin, int start, Func<TomlTable, bool> mayAdd)
    {
        if (table.TryGet(key, out var existing))
        {
            return existing.Content is TomlTable inner && mayAdd(inner)
                ? inner
                : throw _text.Error(start, $"'{Printable.Of(key)}' is complete where it is defined, and nothing can be added to it");
        }

        var made = new TomlTable(origin);
        table.TryAdd(key, new TomlValue(made, start));
        return made;
    }

    private List<string> ReadKey()
    {
        var start = _text.Offset;
        var key = new List<string>();
        do
        {
            _text.SkipBlanks();
            key.Add(_text.Here is '"' or '\'' ? TomlString.ReadLine(_text) : ReadBareKey());
            if (key.Count > MaxDepth)
            {
                throw _text.Error(start, $"a key of more than {MaxDepth} parts");
            }

            _text.SkipBlanks();
        }
        while (_text.TryTake("."));
        return key;
    }

    private string ReadBareKey() =>
        _text.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') is { Length: > 0 } key
            ? key
            : throw _text.Error($"{TomlText.Named(_text.Here)} where a key was expected; keys with other characters than A-Z, a-z, 0-9, '_' and '-' need quotes");

    private TomlValue ReadValue(int depth)
    {
        var start = _text.Offset;
        if (depth > MaxDepth)
        {
            throw _text.Error($"values are nested more than {MaxDepth} deep");
        }

        return new TomlValue(
            _text.Here switch
            {
                '"' or '\'' => TomlString.Read(_text),
                '[' => ReadArray(depth),
                '{' => ReadInlineTable(depth),
                _ => ReadWord(),
            },
            start);
    }

    private object ReadWord()
    {
        var start = _text.Offset;
        var word = _text.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '+' or '.' or ':');
        return word switch
        {
            "" => throw _text.Error(start, $"{TomlText.Named(_text.Here)} where a value was expected"),
            "true" => true,
            "false" => false,
            _ => IntegerOf(word) ?? throw _text.Error(start, $"'{Printable.Of(word)}' is neither an integer nor true or false; text needs quotes"),
        };
    }

    /// <summary>TOML 1.0, "Integer": underscores only between digits, no leading zeros.</summary>
    private static long? IntegerOf(string word)
    {
        var digits = word.AsSpan(word[0] is '+' or '-' ? 1 : 0);
        var plain = digits.ToString().Replace("_", string.Empty, StringComparison.Ordinal);
        var wellFormed = digits.Length > 0 && digits[0] != '_' && digits[^1] != '_' && !digits.Contains("__", StringComparison.Ordinal)
            && (plain.Length == 1 || plain[0] != '0')
            && plain.All(char.IsAsciiDigit);
        return wellFormed && long.TryParse((word[0] == '-' ? "-" : string.Empty) + plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;
    }

    private List<TomlValue> ReadArray(int depth)
    {
        var values = new List<TomlValue>();
        _text.Take();
        for (_text.SkipLines(); !_text.TryTake("]"); _text.SkipLines())
        {
            values.Add(ReadValue(depth + 1));
            _text.SkipLines();
            if (_text.Here != ']')
            {
                Expect(',');
            }
        }

        return values;
    }

    /// <summary>TOML 1.0, "Inline Table": on one line, and no comma after the last.</summary>
    private TomlTable ReadInlineTable(int depth)
    {
        var table = new TomlTable(TomlTable.Origin.Inline);
        _text.Take();
        _text.SkipBlanks();
        if (_text.TryTake("}"))
        {
            return table;
        }

        do
        {
            _text.SkipBlanks();
            ReadPair(table, depth + 1);
            _text.SkipBlanks();
        }
        while (_text.TryTake(","));
        Expect('}');
        return table;
    }

    private void Expect(char wanted)
    {
        if (_text.Here != wanted)
        {
            throw _text.Error($"{TomlText.Named(_text.Here)} where '{wanted}' was expected");
        }

        _text.Take();
    }
}
