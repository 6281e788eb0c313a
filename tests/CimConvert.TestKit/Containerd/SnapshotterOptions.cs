namespace CimConvert.TestKit.Containerd;

/// <summary>Which of the Windows snapshotters is stood in for.</summary>
public enum SnapshotterMode
{
    /// <summary>A forked CIM a layer, all in one folder.</summary>
    Cimfs,

    /// <summary>A block file a layer, merged when a container comes.</summary>
    Blockcim,
}

/// <summary>As a node's config.toml sets the blockcim snapshotter.</summary>
public sealed record SnapshotterOptions
{
    public SnapshotterMode Mode { get; init; } = SnapshotterMode.Cimfs;

    /// <summary><c>enable_layer_integrity</c></summary>
    public bool LayerIntegrity { get; init; }

    /// <summary><c>append_vhd_footer</c></summary>
    public bool VhdFooter { get; init; }

    /// <summary>How mounts name a path of this system: for a client that sees it by another name.</summary>
    public Func<string, string> PathInMounts { get; init; } = path => path;

    /// <summary>Its name as a plugin.</summary>
    public string Name => Mode == SnapshotterMode.Cimfs ? "cimfs" : "blockcim";
}

/// <summary>
/// A call as the daemon made it: <paramref name="Number"/> counts all calls from 1. Keys and names are the daemon's own:
/// <c>k8s.io/N/KEY</c>, with the chain ID at their end where there is one.
/// </summary>
public sealed record SnapshotterCall(int Number, string Method, string Key, string Parent, string Name, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>Whether the call makes or commits the layer of this chain ID.</summary>
    public bool IsOf(string chainId) => (Name.Length > 0 ? Name : Key).EndsWith(chainId, StringComparison.Ordinal);
}

/// <summary>A container's snapshot over several layers: whether their merged CIM was there before, or had to be made.</summary>
public sealed record SnapshotterMerge(string TopLayer, bool WasThere);

/// <summary>A snapshot as the snapshotter keeps it, parents nearest first.</summary>
public sealed record StandInSnapshot
{
    public required string Key { get; init; }

    /// <summary>The name of its folder and CIM.</summary>
    public required string Id { get; init; }

    public required string Parent { get; init; }

    public required StandInKind Kind { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required DateTimeOffset Updated { get; init; }

    public Dictionary<string, string> Labels { get; init; } = [];

    /// <summary>Bytes of its folder when it was committed.</summary>
    public long Size { get; init; }
}

public enum StandInKind
{
    View,
    Active,
    Committed,
}
