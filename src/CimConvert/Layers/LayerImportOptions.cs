using Microsoft.Extensions.Logging;

namespace CimConvert.Layers;

/// <summary>What the importer has to know of a layer besides its tar.</summary>
internal sealed record LayerImportOptions
{
    /// <summary>Whether the layer has no parent: then its hives become the bases of all layers above it.</summary>
    public required bool IsBase { get; init; }

    /// <summary>An existing folder of this layer alone: standard files are staged in it, and <c>Hives</c> stays in it.</summary>
    public required string LayerFolder { get; init; }

    public InputLimits Limits { get; init; } = new();

    public ILogger? Logger { get; init; }
}
