using CimConvert.Cims;
using Microsoft.Extensions.Logging;

namespace CimConvert.Layers;

/// <summary>How a layer is imported into a CIM of any kind.</summary>
public record CimImportOptions
{
    /// <summary>The back end that writes the CIM.</summary>
    public CimBackend Backend { get; init; }

    /// <summary>What the layer may use: its limits of size and entries.</summary>
    public InputLimits Limits { get; init; } = new();

    /// <summary>Receives warnings about the layer's content; null for none.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>How a layer is imported into a block CIM: hcsshim's <c>BlockCIMLayerImportOpt</c>s.</summary>
public sealed record BlockCimImportOptions : CimImportOptions
{
    /// <summary>
    /// The block CIMs of the layers below, nearest first; empty for a base layer (hcsshim: <c>WithParentLayers</c>). The hives of each of
    /// these layers are in the folder <c>Hives</c> beside its block file.
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
    /// <summary>The back end that writes the merged CIM; it must have written the sources, too.</summary>
    public CimBackend Backend { get; init; }

    /// <summary>Seal the block file, and keep its root digest in <c>merged_integrity_checksum</c> beside it.</summary>
    public bool LayerIntegrity { get; init; }

    /// <summary>Append a fixed VHD footer.</summary>
    public bool VhdFooter { get; init; }

    internal BlockCimOptions Block => new(LayerIntegrity, VhdFooter);
}

/// <summary>What the importer needs to know of a layer besides its tar.</summary>
internal sealed record LayerImportOptions
{
    /// <summary>Whether the layer has no parents; then its hives become the base hives of all layers above it.</summary>
    public required bool IsBase { get; init; }

    /// <summary>An existing folder for this layer alone. Standard files are staged in it, and its folder <c>Hives</c> stays.</summary>
    public required string LayerFolder { get; init; }

    public InputLimits Limits { get; init; } = new();

    public ILogger? Logger { get; init; }
}
