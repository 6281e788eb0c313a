using System.Diagnostics.CodeAnalysis;

namespace CimConvert.Registry.Hosts;

/// <summary>A value and where it starts, for errors found later in what it means.</summary>
/// <param name="Content">A string, long, bool, list of values, or table.</param>
/// <param name="Offset">Characters from the document's start.</param>
internal sealed record TomlValue(object Content, int Offset);

/// <summary>A table with its keys in the order of the document, which for mirrors is the order they are tried in.</summary>
internal sealed class TomlTable(TomlTable.Origin origin)
{
    private readonly OrderedDictionary<string, TomlValue> _values = new(StringComparer.Ordinal);

    /// <summary>How the table came to be, which decides what may still be added to it (TOML 1.0, "Table", "Inline Table").</summary>
    public enum Origin
    {
        /// <summary>Only named on the way to another one; may get a header of its own.</summary>
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

/// <summary>A whole file, and the errors in it.</summary>
internal sealed record TomlDocument(TomlTable Root, TomlText Text);
