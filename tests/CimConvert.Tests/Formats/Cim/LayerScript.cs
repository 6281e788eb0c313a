using System.Text;
using CimConvert.Cims;
using CimConvert.Formats.Cim;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>
/// Layers as one line of text. Layers lowest first between <c>|</c>; in each, entries between spaces: <c>a=x</c> a file holding x,
/// <c>a/</c> a directory, <c>-a</c> a tombstone, <c>!a</c> an opaque directory, <c>b->a</c> a merge link, <c>b=>a</c> a hard link.
/// Directories carry the number of their layer, lowest 1, as their times. Listings come back in the same words, directories with
/// the number: <c>a/1</c>; one that no layer described has 0.
/// </summary>
internal static class LayerScript
{
    public static string[] Layers(string script) => script.Split('|');

    public static string[] Words(string layer) => layer.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public static void Apply(CimWriter writer, string layer, int number)
    {
        foreach (var word in Words(layer))
        {
            if (word.Split("->") is [var link, var target])
            {
                writer.MergeLink(link, target);
            }
            else if (word.Split("=>") is [var name, var existing])
            {
                writer.Link(name, existing);
            }
            else if (word[0] == '-')
            {
                writer.Tombstone(word[1..]);
            }
            else if (word[0] == '!')
            {
                writer.Opaque(word[1..]);
            }
            else if (word.Split('=') is [var file, var content])
            {
                writer.File(file, content);
            }
            else
            {
                writer.Directory(word.TrimEnd('/'), number);
            }
        }
    }

    /// <summary>Writes the layers as block files; their paths, topmost first, as a merge takes them.</summary>
    public static string[] Write(CimLab lab, string script, string prefix = "layer")
    {
        var layers = Layers(script);
        return [.. layers.Select((layer, i) => lab.Write($"{prefix}{i + 1}.bcim", w => Apply(w, layer, i + 1))).Reverse()];
    }

    /// <summary>Writes the layers, merges them, and lists what is there.</summary>
    public static string Merge(CimLab lab, string script)
    {
        var sources = Write(lab, script);
        using var image = OpenCim.Open(lab.Merge("merged.bcim", sources), sources);
        return List(image.Cim);
    }

    public static string List(CimReader cim)
    {
        var words = new List<string>();
        foreach (var (path, entry) in CimWalk.Below(cim, CimPath.Root, cim.Root))
        {
            words.Add(
                (entry.Flags & CimFileFlags.LayerMask) != 0 ? $"{path}:{entry.Flags}"
                : entry.IsDirectory ? $"{path}/{entry.LastWriteTime}"
                : $"{path}={Encoding.UTF8.GetString(cim.ReadAll(entry.Data))}");
        }

        return string.Join(' ', words);
    }
}
