using CimConvert.Oci;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;

namespace CimConvert.Sources;

/// <summary>An image in a registry.</summary>
internal sealed class RegistrySource(RegistryClient client, ImageReference reference) : IImageSource
{
    private readonly TransferCount _count = new();

    /// <summary>The reference that the user gave.</summary>
    public ImageReference Reference => reference;

    public string Name => reference.ToString();

    public long BytesDownloaded => _count.Bytes;

    public int Retries => _count.Retries;

    public bool IsRemote => true;

    public Task<FetchedManifest> GetManifestAsync(Descriptor? expected, CancellationToken cancellationToken) =>
        client.GetManifestAsync(reference, expected, _count, cancellationToken);

    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        client.OpenBlobAsync(reference, blob, offset, _count, cancellationToken);
}
