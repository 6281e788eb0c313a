using System.Diagnostics.CodeAnalysis;

namespace CimConvert.Toml;

/// <summary>A value and its position, for errors in what the value means.</summary>
/// <param name="Content">A string, long, bool, double, date, list of values, or table; an array of tables is a list.</param>
/// <param name="Offset">Characters from the start of the file.</param>
internal sealed record TomlValue(object Content, int Offset);

/// <summary>A table. Keys keep the order of the file: mirrors are tried in that order.</summary>
internal sealed class TomlTable(TomlTable.Origin origin)
{
    private readonly OrderedDictionary<string, TomlValue> _values = new(StringComparer.Ordinal);

    /// <summary>What created the table, which decides what may be added to it (https://toml.io/en/v1.0.0, "Table", "Inline Table").</summary>
    public enum Origin
    {
        /// <summary>Part of another table's header; may get a header of its own.</summary>
        Path,
        Header,
        DottedKey,
        Inline,
    }

    public Origin MadeBy { get; set; } = origin;

    public IReadOnlyList<KeyValuePair<string, TomlValue>> Values => [.. _values];

    public bool TryGet(string key, [NotNullWhen(true)] out TomlValue? value) => _values.TryGetValue(key, out value);

    public bool TryAdd(string key, TomlValue value) => _values.TryAdd(key, value);
}
