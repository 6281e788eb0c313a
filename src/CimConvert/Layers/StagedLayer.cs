using CimConvert.Cims;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>
/// A layer outside a store, made in a folder of its own beside its CIM: its hives are in the layer's folder before the CIM gets its
/// name, so a CIM that is there has them. Disposing removes the staging folder.
/// </summary>
internal sealed class StagedLayer : IDisposable
{
    private const string Suffix = ".staging";

    private readonly string _target;

    /// <param name="name">Of the layer's block file, or of its folder: the staging folder is called after it. One that a killed process left is replaced.</param>
    /// <param name="target">The layer's folder, which gets its hives; made where it is missing.</param>
    public StagedLayer(string name, string target)
    {
        _target = target;
        Folder = name + Suffix;
        Remove();
        Directory.CreateDirectory(Folder);
    }

    /// <summary>Where the layer's files wait while it is imported.</summary>
    public string Folder { get; }

    /// <summary>Merges the layer's hives with its parents', moves them to its folder, and commits the CIM.</summary>
    /// <param name="cim">Imported, and not committed.</param>
    /// <param name="deltas">The hives whose deltas lie in the staging folder.</param>
    /// <param name="parentFolders">The layer folders below, nearest first.</param>
    /// <param name="merger">Merges hives.</param>
    /// <param name="cancellationToken">Stops, and leaves no hive behind.</param>
    public CommittedCim Commit(
        ICimWriter cim, IReadOnlyList<RegistryHive> deltas, IReadOnlyList<string> parentFolders, IHiveMerger merger, CancellationToken cancellationToken)
    {
        LayerFinish.MergeHives(cim, deltas, Folder, parentFolders, merger, cancellationToken);
        var isNew = !Directory.Exists(_target);
        Directory.CreateDirectory(_target);
        var moved = HivesBesideCim.Move(Folder, _target);
        try
        {
            return cim.Commit(cancellationToken);
        }
        catch
        {
            HivesBesideCim.Remove(moved);
            if (isNew)
            {
                Directory.Delete(_target);
            }

            throw;
        }
    }

    public void Dispose() => Remove();

    private void Remove()
    {
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
