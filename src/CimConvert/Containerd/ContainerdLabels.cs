using CimConvert.Oci;

namespace CimConvert.Containerd;

/// <summary>
/// The labels by which containerd and its CRI plugin know what belongs together, and ours (containerd: docs/garbage-collection.md,
/// core/snapshots/snapshotter.go, core/images/labels.go, internal/cri/labels).
/// </summary>
internal static class ContainerdLabels
{
    /// <summary>The bytes of a label's key and value together (containerd, pkg/labels/validate.go).</summary>
    public const int MaxSize = 4096;

    /// <summary>On a lease: when it ends by itself, in RFC 3339.</summary>
    public const string Expire = "containerd.io/gc.expire";

    /// <summary>On a snapshot that is being made: the chain ID that it is to have.</summary>
    public const string SnapshotRef = "containerd.io/snapshot.ref";
    public const string SnapshotDiffId = "containerd.io/snapshot/diff-id";
    public const string ParentChainId = "containerd.io/snapshot/parent-chain-id";

    /// <summary>On content: what it needs, so that the garbage collector keeps that too.</summary>
    public const string ConfigRef = "containerd.io/gc.ref.content.config";

    /// <summary>On a layer's blob: the digest of its tar.</summary>
    public const string Uncompressed = "containerd.io/uncompressed";

    /// <summary>On an image: the CRI plugin shows it to kubelet.</summary>
    public const string Managed = "io.cri-containerd.image";
    public const string ManagedValue = "managed";

    /// <summary>On an image: kubelet's garbage collection leaves it alone (1.6.22, 1.7.3 and newer).</summary>
    public const string Pinned = "io.cri-containerd.pinned";
    public const string PinnedValue = "pinned";

    /// <summary>On an image that this program registered: <see cref="Ours"/>, or <see cref="Shared"/>.</summary>
    public const string Prewarmed = "io.cimconvert.prewarmed";

    /// <summary>The record is this program's, which may remove it.</summary>
    public const string Ours = "true";

    /// <summary>The record was there before, by a pull: it stays when the prewarmed image is removed.</summary>
    public const string Shared = "shared";

    /// <summary>On an image: this program pinned it, and may unpin it.</summary>
    public const string PinnedByUs = "io.cimconvert.pinned";

    /// <summary>On the name by digest of an image that was asked for by digest: tags that move do not lift its pin.</summary>
    public const string ByDigest = "io.cimconvert.by-digest";

    public static string SnapshotOf(string snapshotter) => $"containerd.io/gc.ref.snapshot.{snapshotter}";

    public static string LayerRef(int index) => $"containerd.io/gc.ref.content.l.{index}";

    public static string ManifestRef(int index) => $"containerd.io/gc.ref.content.m.{index}";

    /// <summary>The labels of a layer's blob.</summary>
    public static Dictionary<string, string> OfBlob(string host, string repository, DiffId diffId) =>
        new(StringComparer.Ordinal) { [SourceOf(host)] = repository, [Uncompressed] = diffId.ToString() };

    /// <summary>On content: the repositories of a host that have it, divided by commas.</summary>
    public static string SourceOf(string host) => $"containerd.io/distribution.source.{host}";
}
