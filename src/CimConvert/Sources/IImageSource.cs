using CimConvert.Oci;
using CimConvert.Registry.Pull;

namespace CimConvert.Sources;

/// <summary>Where one image, or one index of images, comes from. Safe for use by several threads at once.</summary>
internal interface IImageSource
{
    /// <summary>What the user named, with every default written out: the image's name in the store and in messages.</summary>
    string Name { get; }

    /// <summary>Bytes that came over the wire so far, those thrown away after a broken connection included.</summary>
    long BytesDownloaded { get; }

    /// <summary>Requests and transfers that were tried again so far.</summary>
    int Retries { get; }

    /// <summary>Whether what was already got of a blob spares work when it is opened again.</summary>
    bool IsRemote { get; }

    /// <summary>Gets a manifest or index, checked against its digest and size.</summary>
    /// <param name="expected">Which; null for the one the user named.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="ConversionException">It cannot be had, or is not what was asked for.</exception>
    Task<FetchedManifest> GetManifestAsync(Descriptor? expected, CancellationToken cancellationToken);

    /// <summary>Opens a blob. Its size is checked here or by reading, its digest is left to the reader.</summary>
    /// <param name="blob">Which.</param>
    /// <param name="offset">Where to start, from 0 to the blob's size.</param>
    /// <param name="cancellationToken">Ends the opening, and all reading from the stream.</param>
    /// <exception cref="ConversionException">Here, or from reading: the blob cannot be had, or has another size.</exception>
    Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken);
}
