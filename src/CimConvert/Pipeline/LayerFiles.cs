using CimConvert.Cims;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>How a layer's CIM lies in its folder of the store: under which names, block or forked, and how its record describes it.</summary>
internal static class LayerFiles
{
    private const string CimName = "layer.cim";

    public static ICimWriter Create(ICimBackend backend, string folder, string? parentFolder, ConversionOptions options)
    {
        var path = Path.Combine(folder, NameFor(options));
        return options.Forked
            ? ForkedLayer.Create(backend, path, parentFolder is null ? null : Path.Combine(parentFolder, NameFor(options)))
            : backend.Create(path, CimName, options.Image with { Digest = true });
    }

    /// <summary>Whether a layer was made with these options.</summary>
    public static bool IsAsWanted(StoredLayer stored, ICimBackend backend, ConversionOptions options) =>
        stored.Record.Backend == backend.Name
        && stored.Record.Image.File == NameFor(options)
        && stored.Record.Image.VhdFooter == options.Image.VhdFooter
        && stored.Record.Image.IntegrityRoot is not null == options.Image.Integrity;

    /// <summary>Describes a CIM that is committed: the file that makes it a CIM, and the other files of a forked one.</summary>
    public static (FileRecord Cim, IReadOnlyList<CimFileRecord>? CimFiles) Describe(CommittedCim cim, ConversionOptions options, CancellationToken cancellationToken) =>
        options.Forked
            ? ForkedLayer.Finish(cim, CimName, cancellationToken)
            : (StoredLayer.Describe(cim, CimName, options.Image.VhdFooter, cancellationToken), null);

    private static string NameFor(ConversionOptions options) => options.Forked ? CimName : options.Image.VhdFooter ? "layer.vhd" : "layer.bcim";
}
