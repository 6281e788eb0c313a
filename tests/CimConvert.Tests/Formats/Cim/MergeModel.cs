using System.Globalization;
using CimConvert.Formats.Cim;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>
/// What the rules make of layers, in the plainest way: one dictionary of paths, changed layer by layer, each step as the
/// image layer specification puts it (links see the layers below; whiteouts take from those; then the layer is laid over).
/// </summary>
internal sealed class MergeModel
{
    private Dictionary<string, Node> _image = new(NameComparer.Instance);

    private sealed record Node(string Name, string? Content, int Layer, bool Implicit = false, bool StartsEmpty = false, string? Link = null)
    {
        public bool IsDirectory => Content is null && Link is null;
    }

    /// <summary>Adds a layer written in the words of <see cref="LayerScript"/>.</summary>
    /// <exception cref="InvalidDataException">A link leads nowhere.</exception>
    public void Add(string layer, int number)
    {
        var own = new Dictionary<string, Node>(NameComparer.Instance);
        var (hidden, opaque) = (new List<string>(), new List<string>());
        foreach (var word in LayerScript.Words(layer))
        {
            if (word[0] == '-')
            {
                hidden.Add(word[1..]);
            }
            else if (word[0] == '!')
            {
                opaque.Add(word[1..]);
            }
            else if (word.Split("->") is [var link, var target])
            {
                Put(own, link, new Node(NameOf(link), Content: null, number, Link: target));
            }
            else if (word.Split('=') is [var file, var content])
            {
                Put(own, file, new Node(NameOf(file), content, number));
            }
            else
            {
                Put(own, word.TrimEnd('/'), new Node(NameOf(word.TrimEnd('/')), Content: null, number));
            }
        }

        var resolved = own.Keys.ToDictionary(path => path, path => Resolve(own, own[path], []), NameComparer.Instance);
        hidden.ForEach(path => Remove(_image, path, itself: true));
        opaque.ForEach(path => Remove(_image, path, itself: false));
        foreach (var (path, node) in resolved.OrderBy(p => Depth(p.Key)))
        {
            Overlay(path, node);
        }
    }

    /// <summary>In the words of <see cref="LayerScript.List"/>, sorted by path.</summary>
    public IEnumerable<string> List() => _image
        .Select(p => Spelled(p.Key) + (p.Value.IsDirectory
            ? "/" + (p.Value.Implicit ? 0 : p.Value.Layer).ToString(CultureInfo.InvariantCulture)
            : "=" + p.Value.Content))
        .Order(StringComparer.Ordinal);

    private static int Depth(string path) => path.Count(c => c == '\\');

    private static string NameOf(string path) => path[(path.LastIndexOf('\\') + 1)..];

    private static string? ParentOf(string path) => path.Contains('\\', StringComparison.Ordinal) ? path[..path.LastIndexOf('\\')] : null;

    private static void Remove(Dictionary<string, Node> tree, string path, bool itself)
    {
        foreach (var key in tree.Keys.Where(k => k.StartsWith(path + "\\", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            tree.Remove(key);
        }

        if (itself)
        {
            tree.Remove(path);
        }
    }

    private static void Put(Dictionary<string, Node> own, string path, Node node)
    {
        for (var parent = ParentOf(path); parent is not null; parent = ParentOf(parent))
        {
            own.TryAdd(parent, new Node(NameOf(parent), Content: null, node.Layer, Implicit: true));
        }

        var before = own.GetValueOrDefault(path);
        if (before is { IsDirectory: true } && node.IsDirectory)
        {
            node = node with { StartsEmpty = before.StartsEmpty };
        }
        else
        {
            // A directory in place of this layer's own file: the file took away what was lower.
            Remove(own, path, itself: true);
            node = node with { StartsEmpty = before is not null };
        }

        own.Remove(path);
        own.Add(path, node);
    }

    private Node Resolve(Dictionary<string, Node> own, Node node, HashSet<string> seen)
    {
        if (node.Link is not { } target)
        {
            return node;
        }

        if (!seen.Add(node.Name + ">" + target))
        {
            throw new InvalidDataException("a cycle of links");
        }

        var found = own.TryGetValue(target, out var there) ? Resolve(own, there, seen)
            : _image.GetValueOrDefault(target) ?? throw new InvalidDataException($"a link to nowhere: {target}");
        return found.IsDirectory
            ? throw new InvalidDataException($"a link to a directory: {target}")
            : node with { Content = found.Content, Link = null };
    }

    private void Overlay(string path, Node node)
    {
        var below = _image.GetValueOrDefault(path);
        if (!node.IsDirectory || node.StartsEmpty || below is not { IsDirectory: true })
        {
            Remove(_image, path, itself: true);
            _image.Add(path, node);
        }
        else if (!node.Implicit)
        {
            _image.Remove(path);
            _image.Add(path, node);
        }
    }

    private string Spelled(string path) =>
        (ParentOf(path) is { } parent ? Spelled(parent) + "\\" : "") + _image[path].Name;
}
