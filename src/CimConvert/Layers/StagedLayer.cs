using CimConvert.Cims;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>
/// A layer outside a store, imported in a staging folder beside its CIM. Its hives are moved to the layer's folder before the CIM gets its
/// final name, so every CIM that exists has its hives. Disposing removes the staging folder.
/// </summary>
internal sealed class StagedLayer : IDisposable
{
    private const string Suffix = ".staging";

    private readonly string _target;

    /// <param name="name">
    /// The path of the layer's block file or folder; the staging folder is named after it. A staging folder that a killed process left is
    /// replaced.
    /// </param>
    /// <param name="target">The layer's folder, for its hives; created if it is missing.</param>
    public StagedLayer(string name, string target)
    {
        _target = target;
        Folder = name + Suffix;
        Remove();
        Directory.CreateDirectory(Folder);
    }

    /// <summary>The staging folder.</summary>
    public string Folder { get; }

    /// <summary>Merges the layer's hives with its parents', moves them to its folder, and commits the CIM.</summary>
    /// <param name="cim">The layer's CIM, imported but not committed.</param>
    /// <param name="deltas">The hives whose deltas are in the staging folder.</param>
    /// <param name="parentFolders">The folders of the layers below, nearest first.</param>
    /// <param name="merger">Merges hives.</param>
    /// <param name="cancellationToken">Cancels, and leaves no hives behind.</param>
    public CommittedCim Commit(
        ICimWriter cim, IReadOnlyList<RegistryHive> deltas, IReadOnlyList<string> parentFolders, IHiveMerger merger, CancellationToken cancellationToken)
    {
        HiveMerging.Merge(cim, deltas, Folder, parentFolders, merger, cancellationToken);
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
