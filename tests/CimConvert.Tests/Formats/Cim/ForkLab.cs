using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Cim;
using CimConvert.TestKit.Oracles.Cim;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>Chains of forked CIMs in one directory, as a layer chain is kept.</summary>
internal sealed class ForkLab(CimLab lab)
{
    public string Directory => lab.Folder.Sub("forked");

    /// <summary>Writes a CIM, and gives its path.</summary>
    /// <param name="name">Without <c>.cim</c>.</param>
    /// <param name="parent">A path that this gave, or null for a base layer.</param>
    /// <param name="build">The layer's calls.</param>
    public string Write(string name, string? parent, Action<CimWriter> build)
    {
        using var image = parent is null ? null : OpenCim.Open(parent, []);
        using var set = new PartialCimSet(Path.Combine(Directory, name + ".cim"), parent);
        using var writer = CimWriter.Fork(set.Files, name + ".cim", image?.Cim);
        build(writer);
        writer.Commit();
        return set.Finish(new BlockCimOptions(), CancellationToken.None).Path;
    }

    /// <summary>Writes the layers of a script, each on the one before, lowest first.</summary>
    public IEnumerable<string> Write(string script)
    {
        string? parent = null;
        foreach (var (i, layer) in LayerScript.Layers(script).Index())
        {
            yield return parent = Write($"layer{i + 1}", parent, writer => LayerScript.Apply(writer, layer, i + 1));
        }
    }

    public static string List(string cim)
    {
        using var image = OpenCim.Open(cim, []);
        return LayerScript.List(image.Cim);
    }

    public WalkedCim Walk(string cim) => CimWalker.Walk(Directory, Path.GetFileName(cim));
}
