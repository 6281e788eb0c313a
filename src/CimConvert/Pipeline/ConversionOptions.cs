using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Oci;

namespace CimConvert.Pipeline;

/// <summary>How an image is converted.</summary>
internal sealed record ConversionOptions
{
    public required Platform Platform { get; init; }

    /// <summary>See <see cref="PlatformSelector.Select"/>; null selects the highest version.</summary>
    public string? OsVersion { get; init; }

    /// <summary>
    /// Makes forked CIMs, each of which contains the image up to its layer, instead of block CIMs and a merged one. Layers are then
    /// imported one after the other.
    /// </summary>
    public bool Forked { get; init; }

    public BlockCimOptions Block { get; init; } = new();

    /// <summary>Merges the registry hives of child layers.</summary>
    public IHiveMerger Hives { get; init; } = new ManagedHiveMerger();

    /// <summary>Whether the converted manifest has the source's manifest as its <c>subject</c>.</summary>
    public bool WithSubject { get; init; }

    /// <summary>The limits of each layer.</summary>
    public InputLimits Input { get; init; } = new();

    /// <summary>Shared with the other conversions of the process; whoever created it disposes it.</summary>
    public ConversionLimits Limits { get; init; } = new();

    /// <summary>Layers that are downloaded and imported at the same time. The output does not depend on it.</summary>
    public int Concurrency { get; init; } = DefaultConcurrency;

    /// <summary>One layer for each core, at most 4: more is untested.</summary>
    public static int DefaultConcurrency { get; } = Math.Clamp(Environment.ProcessorCount, 1, 4);
}
