using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CimConvert.Prewarming;

/// <summary>Reads one YAML mapping key by key. Wrong types and unknown keys are errors with line and column.</summary>
internal sealed class YamlSection
{
    private readonly string _file;
    private readonly YamlMappingNode _node;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    private YamlSection(string file, YamlMappingNode node)
    {
        _file = file;
        _node = node;
    }

    /// <exception cref="PrewarmListException">The node is not a mapping, or a key is not a scalar.</exception>
    public static YamlSection Of(string file, YamlNode node, string what)
    {
        if (node is not YamlMappingNode mapping)
        {
            throw Bad(file, node.Start, $"{what} must be 'key: value' lines");
        }

        return mapping.Children.Keys.FirstOrDefault(key => key is not YamlScalarNode) is { } odd
            ? throw Bad(file, odd.Start, "a key must be a word")
            : new YamlSection(file, mapping);
    }

    public static PrewarmListException Bad(string file, in Mark at, string what, Exception? cause = null) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{file}:{at.Line}:{at.Column}: {what}"), cause);

    /// <summary>An error at the value of an existing key.</summary>
    public PrewarmListException Bad(string key, string what) => Bad(_file, Find(key)!.Start, $"{key} {what}");

    /// <summary>The node of a key; null if the key is missing.</summary>
    public YamlNode? Find(string key)
    {
        _known.Add(key);
        return _node.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;
    }

    public YamlSection? Section(string key) => Find(key) is { } node ? Of(_file, node, $"the value of '{key}'") : null;

    /// <exception cref="PrewarmListException">The key is missing, or its value is not a list.</exception>
    public IReadOnlyList<YamlNode> List(string key) => Find(key) switch
    {
        null => throw Bad(_file, _node.Start, $"'{key}' is missing"),
        YamlSequenceNode list => [.. list.Children],
        var other => throw Bad(_file, other.Start, $"{key} must be a list, each entry after a '-'"),
    };

    public string? Text(string key) => Find(key) is { } node ? TextOf(_file, node, key) : null;

    /// <summary>The values of a key that takes one or a list of them; null if the key is missing.</summary>
    public IReadOnlyList<string>? Texts(string key) => Find(key) switch
    {
        null => null,
        YamlSequenceNode list => [.. list.Children.Select(node => TextOf(_file, node, key))],
        var node => [TextOf(_file, node, key)],
    };

    public string RequiredText(string key) => Text(key) ?? throw Bad(_file, _node.Start, $"'{key}' is missing");

    public bool? Flag(string key) => Text(key) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        var other => throw Bad(key, $"must be true or false, not '{Printable.Of(other)}'"),
    };

    public int? Number(string key, int min, int max)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw Bad(key, string.Create(CultureInfo.InvariantCulture, $"must be a number from {min} to {max}, not '{Printable.Of(text)}'"));
    }

    /// <summary>Parses a value; an <see cref="InvalidDataException"/> of the parser gets the value's line and column.</summary>
    public T? Read<T>(string key, Func<string, T> read)
        where T : class => Text(key) is { } text ? Read(key, text, read) : null;

    /// <summary>As <see cref="Read{T}(string, Func{string, T})"/>, for value types.</summary>
    public T? ReadValue<T>(string key, Func<string, T> read)
        where T : struct => Text(key) is { } text ? Read(key, text, read) : null;

    /// <exception cref="PrewarmListException">The mapping has a key that was never read.</exception>
    public void RefuseOthers()
    {
        foreach (var key in _node.Children.Keys.Cast<YamlScalarNode>())
        {
            if (!_known.Contains(key.Value!))
            {
                throw Bad(_file, key.Start, $"unknown key '{Printable.Of(key.Value!)}'; known here: {string.Join(", ", _known.Order(StringComparer.Ordinal))}");
            }
        }
    }

    public static string TextOf(string file, YamlNode node, string what) => node is YamlScalarNode { Value: { Length: > 0 } value }
        ? value
        : throw Bad(file, node.Start, $"{what} must be a single value, and not empty");

    private T Read<T>(string key, string text, Func<string, T> read)
    {
        try
        {
            return read(text);
        }
        catch (InvalidDataException e)
        {
            throw Bad(_file, Find(key)!.Start, $"{key}: {e.Message}", e);
        }
    }
}
