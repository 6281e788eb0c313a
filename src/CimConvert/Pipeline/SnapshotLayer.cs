namespace CimConvert.Pipeline;

/// <summary>A layer that is in containerd.</summary>
/// <param name="Plan">What was to be made.</param>
/// <param name="Path">Its <c>.cim</c> file or block file; null if it was there before, as only the snapshotter knows where.</param>
/// <param name="Size">Bytes written for it, without hives; 0 if it was there before.</param>
internal sealed record SnapshotLayer(LayerPlan Plan, string? Path, long Size)
{
    public bool Reused => Path is null;

    public static SnapshotLayer There(LayerPlan plan) => new(plan, null, 0);
}
