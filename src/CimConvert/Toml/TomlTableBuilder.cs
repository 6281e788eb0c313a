using Tomlyn.Syntax;

namespace CimConvert.Toml;

/// <summary>
/// Builds the tables of a parsed file, which may be spread over it. Duplicate keys and tables are errors (TOML 1.0, "Keys", "Table",
/// "Array of Tables").
/// </summary>
internal sealed class TomlTableBuilder(TomlFile file)
{
    /// <summary>The arrays made by headers: a value that is written as an array takes no more tables.</summary>
    private readonly HashSet<List<TomlValue>> _tableArrays = [];

    public TomlTable Build(DocumentSyntax document)
    {
        var root = new TomlTable(TomlTable.Origin.Header);
        AddAll(root, document.KeyValues);
        foreach (var table in document.Tables)
        {
            AddAll(table is TableArraySyntax ? Append(root, table) : Open(root, table), table.Items);
        }

        return root;
    }

    private TomlTable Open(TomlTable root, TableSyntaxBase header)
    {
        var key = NamesOf(header.Name!);
        var table = EnterAll(root, key, header.Span.Offset);

        // The last table of an array has a header already, and is not opened a second time by its name.
        if (table.MadeBy is not TomlTable.Origin.Path)
        {
            throw file.Error(header.Span.Offset, $"the table '{Printable.Of(key[^1])}' is defined twice");
        }

        table.MadeBy = TomlTable.Origin.Header;
        return table;
    }

    /// <summary>Adds a table to an array of them, which its first header makes.</summary>
    private TomlTable Append(TomlTable root, TableSyntaxBase header)
    {
        var key = NamesOf(header.Name!);
        var offset = header.Span.Offset;
        var parent = EnterAll(root, key.SkipLast(1), offset);
        if (!parent.TryGet(key[^1], out var existing))
        {
            existing = new TomlValue(new List<TomlValue>(), offset);
            parent.TryAdd(key[^1], existing);
            _tableArrays.Add((List<TomlValue>)existing.Content);
        }

        if (existing.Content is not List<TomlValue> array || !_tableArrays.Contains(array))
        {
            throw file.Error(offset, $"'{Printable.Of(key[^1])}' is already defined, and not as an array of tables");
        }

        var table = new TomlTable(TomlTable.Origin.Header);
        array.Add(new TomlValue(table, offset));
        return table;
    }

    private TomlTable EnterAll(TomlTable table, IEnumerable<string> key, int offset)
    {
        foreach (var name in key)
        {
            table = Enter(table, name, TomlTable.Origin.Path, offset, existing => existing.MadeBy is not TomlTable.Origin.Inline);
        }

        return table;
    }

    private void AddAll(TomlTable table, SyntaxList<KeyValueSyntax> pairs)
    {
        foreach (var pair in pairs)
        {
            Add(table, pair);
        }
    }

    private void Add(TomlTable table, KeyValueSyntax pair)
    {
        var key = NamesOf(pair.Key!);
        var offset = pair.Span.Offset;
        foreach (var name in key.SkipLast(1))
        {
            table = Enter(table, name, TomlTable.Origin.DottedKey, offset, existing => existing.MadeBy is TomlTable.Origin.DottedKey);
        }

        if (!table.TryAdd(key[^1], ReadValue(pair.Value!)))
        {
            throw file.Error(offset, $"'{Printable.Of(key[^1])}' is defined twice");
        }
    }

    private TomlTable Enter(TomlTable table, string name, TomlTable.Origin origin, int offset, Func<TomlTable, bool> mayAdd)
    {
        if (table.TryGet(name, out var existing))
        {
            // A name on the way to another stands for the last table of an array.
            var content = origin is TomlTable.Origin.Path && existing.Content is List<TomlValue> array && _tableArrays.Contains(array)
                ? array[^1].Content
                : existing.Content;
            return content is TomlTable inner && mayAdd(inner)
                ? inner
                : throw file.Error(offset, $"'{Printable.Of(name)}' is already defined; nothing can be added to it here");
        }

        var made = new TomlTable(origin);
        table.TryAdd(name, new TomlValue(made, offset));
        return made;
    }

    private List<string> NamesOf(KeySyntax key)
    {
        if (key.DotKeys.ChildrenCount >= TomlFile.MaxDepth)
        {
            throw file.Error(key.Span.Offset, $"a key of more than {TomlFile.MaxDepth} parts");
        }

        var names = new List<string> { NameOf(key.Key!) };
        foreach (var part in key.DotKeys)
        {
            names.Add(NameOf(part.Key!));
        }

        return names;
    }

    private static string NameOf(BareKeyOrStringValueSyntax part) => part is StringValueSyntax quoted ? quoted.Value! : ((BareKeySyntax)part).Key!.Text!;

    private TomlValue ReadValue(ValueSyntax value) => new(
        value switch
        {
            StringValueSyntax text => text.Value!,
            BooleanValueSyntax truth => truth.Value,
            IntegerValueSyntax number => number.Value,
            ArraySyntax array => ReadArray(array),
            InlineTableSyntax table => ReadInlineTable(table),
            FloatValueSyntax number => number.Value,
            DateTimeValueSyntax date => date.Value,
            _ => throw file.Error(value.Span.Offset, "this is no value; text needs quotes"),
        },
        value.Span.Offset);

    private List<TomlValue> ReadArray(ArraySyntax array)
    {
        var values = new List<TomlValue>();
        foreach (var item in array.Items)
        {
            values.Add(ReadValue(item.Value!));
        }

        return values;
    }

    private TomlTable ReadInlineTable(InlineTableSyntax inline)
    {
        var table = new TomlTable(TomlTable.Origin.Inline);
        foreach (var item in inline.Items)
        {
            Add(table, item.KeyValue!);
        }

        return table;
    }
}
