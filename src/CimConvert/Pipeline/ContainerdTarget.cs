using System.Security.Cryptography;
using System.Text;
using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>The containerd of this machine, as the place to convert images into. Owns the connection.</summary>
internal sealed record ContainerdTarget : IDisposable
{
    private const int OwnerLength = 8;

    /// <summary>The connection; each conversion makes a client of its own from it, which has its own lease.</summary>
    public required ContainerdClient Client { get; init; }

    /// <summary>The name of a snapshotter that is loaded: <see cref="SnapshotterChoice.CimFs"/> or <see cref="SnapshotterChoice.BlockCim"/>.</summary>
    public required string Snapshotter { get; init; }

    /// <summary>Partial downloads, and the claims by which processes share the work.</summary>
    public required IngestArea Ingest { get; init; }

    /// <summary>Finished block layers of this store are linked in; null for none.</summary>
    public ConversionStore? Store { get; init; }

    /// <summary>Kubelet's garbage collection is to leave the images alone.</summary>
    public bool Pin { get; init; }

    /// <summary>Whether the daemon also gets the layers' blobs, which it needs to export or push an image, but not to run it.</summary>
    public bool LayerBlobs { get; init; }

    /// <summary>See <see cref="CimBackends"/>.</summary>
    public required string Backend { get; init; }

    /// <summary>Whether layers may be written that Windows is not known to mount.</summary>
    public bool AllowsUnmountedFormat { get; init; }

    /// <summary>The version of this Windows, which pods' images must fit; null on another system.</summary>
    public string? HostVersion { get; init; }

    /// <summary>What is wrong with this node for what is converted into it.</summary>
    public required StartWarnings Warnings { get; init; }

    /// <summary>
    /// The name under which this folder's processes work at the daemon: what a killed one left is found by the next. Processes with
    /// other folders do not know of our claims, so they must have another.
    /// </summary>
    public string Owner => $"cimconvert-{Hash(Ingest.Root)}";

    /// <summary>The lease of the conversion of one image.</summary>
    public string LeaseOf(string image) => $"{Owner}-{Hash(image)}";

    /// <exception cref="ConversionException">The back end cannot be used, or Windows is not known to mount what it writes.</exception>
    public ICimBackend SelectBackend(BlockCimOptions options) =>
        new ContainerdBackend(Backend, AllowsUnmountedFormat).Select(Snapshotter == SnapshotterChoice.CimFs ? MountKind.CimFs : MountKind.BlockCim, options);

    public void Dispose() => Client.Dispose();

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..OwnerLength];
}
