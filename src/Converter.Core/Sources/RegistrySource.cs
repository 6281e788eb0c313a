using Converter.Core.Oci;
using Converter.Core.Registry;

namespace Converter.Core.Sources;

/// <summary>An image in a registry.</summary>
public sealed class RegistrySource(RegistryClient client, ImageReference reference) : IImageSource
{
    private long _bytesDownloaded;

    /// <summary>What the user named.</summary>
    public ImageReference Reference => reference;

    public string Name => reference.ToString();

    public long BytesDownloaded => Interlocked.Read(ref _bytesDownloaded);

    public bool IsRemote => true;

    public Task<FetchedManifest> GetManifestAsync(Descriptor? expected, CancellationToken cancellation) =>
        client.GetManifestAsync(reference, expected, Count, cancellation);

    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellation) =>
        client.OpenBlobAsync(reference, blob, offset, Count, cancellation);

    private void Count(int bytes) => Interlocked.Add(ref _bytesDownloaded, bytes);
}
