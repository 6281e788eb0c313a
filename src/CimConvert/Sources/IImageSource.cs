using CimConvert.Oci;
using CimConvert.Registry.Pull;

namespace CimConvert.Sources;

/// <summary>Where an image or index comes from: a registry, an OCI image layout or a docker archive. Thread-safe.</summary>
internal interface IImageSource
{
    /// <summary>The name that the user gave, with all defaults: the image's name in the store and in messages.</summary>
    string Name { get; }

    /// <summary>Bytes downloaded so far, including those discarded after a broken connection.</summary>
    long BytesDownloaded { get; }

    /// <summary>Requests and transfers retried so far.</summary>
    int Retries { get; }

    /// <summary>Whether blobs are downloaded, so that keeping a partial download saves work when the blob is opened again.</summary>
    bool IsRemote { get; }

    /// <summary>Gets a manifest or index, checked against its digest and size.</summary>
    /// <param name="expected">Which one; null for the one that the user named.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="ConversionException">It is not available, or has another digest or size.</exception>
    Task<FetchedManifest> GetManifestAsync(Descriptor? expected, CancellationToken cancellationToken);

    /// <summary>Opens a blob. Its size is checked here or while reading; the caller must check its digest.</summary>
    /// <param name="blob">Which one.</param>
    /// <param name="offset">Byte offset to start at, up to the blob's size.</param>
    /// <param name="cancellationToken">Cancels opening the blob and reading from the stream.</param>
    /// <exception cref="ConversionException">Here or while reading: the blob is not available, or has another size.</exception>
    Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken);
}
