namespace CimConvert.Pipeline;

/// <summary>Where a layer in containerd comes from.</summary>
internal enum LayerOrigin
{
    /// <summary>It was there before.</summary>
    Containerd,

    /// <summary>Linked from the store that is the state folder.</summary>
    Store,

    /// <summary>Taken from a converted image.</summary>
    Converted,

    /// <summary>Imported from the source.</summary>
    Source,
}

/// <summary>A layer that is in containerd.</summary>
/// <param name="Plan">What was to be made.</param>
/// <param name="Path">Its <c>.cim</c> file or block file; null if it was there before, as only the snapshotter knows where.</param>
/// <param name="Size">Bytes written for it, without hives; 0 if it was there before.</param>
/// <param name="Origin">Where it comes from.</param>
internal sealed record SnapshotLayer(LayerPlan Plan, string? Path, long Size, LayerOrigin Origin)
{
    public bool Reused => Path is null;

    /// <summary>The converted image that it was taken from; null if it was not.</summary>
    public PulledFrom? From { get; init; }

    public static SnapshotLayer There(LayerPlan plan) => new(plan, null, 0, LayerOrigin.Containerd);
}
