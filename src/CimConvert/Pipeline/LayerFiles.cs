using CimConvert.Cims;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>
/// The files of a layer's CIM in its folder of the store, block or forked: their names, and how the layer's record describes them.
/// </summary>
internal static class LayerFiles
{
    public static ICimWriter Create(ICimBackend backend, string folder, string? parentFolder, ConversionOptions options)
    {
        var path = Path.Combine(folder, NameFor(options));
        return options.Forked
            ? ForkedLayer.Create(backend, path, parentFolder is null ? null : Path.Combine(parentFolder, NameFor(options)))
            : backend.Create(path, StoreFileNames.LayerCim, options.Block with { Digest = true });
    }

    /// <summary>Whether a stored layer was made with these options.</summary>
    public static bool IsAsWanted(StoredLayer stored, string backend, ConversionOptions options) =>
        stored.Record.Backend == backend
        && stored.Record.Cim.File == NameFor(options)
        && stored.Record.Cim.VhdFooter == options.Block.VhdFooter
        && stored.Record.Cim.IntegrityRoot is not null == options.Block.Integrity;

    /// <summary>Describes a committed CIM: the block file or <c>.cim</c> file, and the other files of a forked one.</summary>
    public static (FileRecord Cim, IReadOnlyList<RegionFileRecord>? RegionFiles) Describe(CommittedCim cim, ConversionOptions options, CancellationToken cancellationToken) =>
        options.Forked
            ? ForkedLayer.Finish(cim, StoreFileNames.LayerCim, cancellationToken)
            : (StoredLayer.Describe(cim, StoreFileNames.LayerCim, options.Block.VhdFooter, cancellationToken), null);

    private static string NameFor(ConversionOptions options) => options.Forked ? StoreFileNames.LayerCim : StoreFileNames.Layer(options.Block.VhdFooter);
}
