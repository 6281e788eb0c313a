using CimConvert.Sources;

namespace CimConvert.Pipeline;

/// <summary>What a conversion did, wherever it put the layers.</summary>
/// <param name="Image">The source.</param>
/// <param name="Backend">The back end that wrote the CIMs.</param>
/// <param name="Hives">The hive merger's name.</param>
/// <param name="Bytes">Bytes downloaded, decompressed and written.</param>
/// <param name="Timings">Durations of the stages.</param>
internal abstract record ConversionSummary(
    ResolvedImage Image, string Backend, string Hives, ConversionBytes Bytes, ConversionTimings Timings)
{
    /// <summary>The converted image that it, or some of its layers, were taken from; null if the source was converted.</summary>
    public PulledFrom? From { get; init; }

    /// <summary>Layers that were there before.</summary>
    public abstract int Reused { get; }

    /// <summary>Whether anything was made.</summary>
    public abstract bool IsNew { get; }
}

/// <summary>Durations of a conversion's stages, in milliseconds of wall-clock time.</summary>
internal sealed record ConversionTimings(long Resolve, long Layers, long Merge, long Publish, long Push, long Total)
{
    /// <summary>The stages' names and durations.</summary>
    internal IReadOnlyList<(string Stage, long Milliseconds)> Stages =>
        [("resolve", Resolve), ("layers", Layers), ("merge", Merge), ("publish", Publish), ("push", Push)];
}

/// <summary>Bytes downloaded, decompressed, and written.</summary>
internal sealed record ConversionBytes(long Downloaded, long Decompressed, long Written);
