using CimConvert.Cims;
using Microsoft.Extensions.Logging;

namespace CimConvert.Layers;

/// <summary>How a layer is imported into a CIM, whatever its kind.</summary>
public record CimImportOptions
{
    /// <summary>What writes the CIM.</summary>
    public CimBackend Backend { get; init; }

    /// <summary>What the layer may take.</summary>
    public InputLimits Limits { get; init; } = new();

    /// <summary>Gets warnings about the layer's content; null for none.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>How a layer is imported into a block CIM: hcsshim's <c>BlockCIMLayerImportOpt</c>s.</summary>
public sealed record BlockCimImportOptions : CimImportOptions
{
    /// <summary>
    /// The block CIMs of the layers below, nearest first; none for a base layer (hcsshim: <c>WithParentLayers</c>). Each has the hives of
    /// its layer in the folder <c>Hives</c> beside it.
    /// </summary>
    public IReadOnlyList<BlockCim> ParentLayers { get; init; } = [];

    /// <summary>Seal the block file, and keep its 32-byte root digest in <c>integrity_checksum</c> beside it (hcsshim: <c>WithLayerIntegrity</c>).</summary>
    public bool LayerIntegrity { get; init; }

    /// <summary>Append a fixed VHD footer, so that the file can be attached as a disk (hcsshim: <c>WithVHDFooter</c>).</summary>
    public bool VhdFooter { get; init; }

    internal BlockCimOptions Block => new(LayerIntegrity, VhdFooter);
}

/// <summary>How block CIMs are merged.</summary>
public sealed record BlockCimMergeOptions
{
    /// <summary>What writes the merged CIM; it must have written the sources.</summary>
    public CimBackend Backend { get; init; }

    /// <summary>Seal the block file, and keep its root digest in <c>merged_integrity_checksum</c> beside it.</summary>
    public bool LayerIntegrity { get; init; }

    /// <summary>Append a fixed VHD footer.</summary>
    public bool VhdFooter { get; init; }

    internal BlockCimOptions Block => new(LayerIntegrity, VhdFooter);
}
