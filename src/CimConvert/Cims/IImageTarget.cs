namespace CimConvert.Cims;

/// <summary>Where a managed image is written: under its final name only when it is whole. Disposed before that, nothing is left of it.</summary>
internal interface IImageTarget : IDisposable
{
    /// <inheritdoc cref="IImageWriter.Digest"/>
    GrowingFileDigest? Digest => null;

    /// <summary>Makes what was written durable, and gives it its name.</summary>
    CommittedImage Finish(ImageOptions options, CancellationToken cancellation);
}
