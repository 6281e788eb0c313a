using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Oci;

namespace CimConvert.Pipeline;

/// <summary>How an image is converted.</summary>
internal sealed record ConversionOptions
{
    public required Platform Platform { get; init; }

    /// <summary>See <see cref="PlatformSelector.Select"/>; null takes the highest.</summary>
    public string? OsVersion { get; init; }

    /// <summary>
    /// Make forked CIMs, each of which holds the image up to its layer, instead of block CIMs and a merged one. Layers are then
    /// imported one after the other.
    /// </summary>
    public bool Forked { get; init; }

    public BlockCimOptions Block { get; init; } = new();

    /// <summary>What merges the registry hives of child layers.</summary>
    public IHiveMerger Hives { get; init; } = new ManagedHiveMerger();

    /// <summary>The converted manifest refers to the source's as its subject.</summary>
    public bool WithSubject { get; init; }

    /// <summary>What each layer may take.</summary>
    public InputLimits Input { get; init; } = new();

    /// <summary>Shared with the other conversions of the process; whoever made it disposes it.</summary>
    public ConversionLimits Limits { get; init; } = new();

    /// <summary>Layers that are downloaded and imported at once. The output does not depend on it.</summary>
    public int Concurrency { get; init; } = DefaultConcurrency;

    /// <summary>A core for each layer, but no more than machines have stood up to.</summary>
    public static int DefaultConcurrency { get; } = Math.Clamp(Environment.ProcessorCount, 1, 4);
}
