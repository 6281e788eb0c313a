using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Registry.Pull;
using CimConvert.Sources;

namespace CimConvert.Pipeline;

/// <summary>How an image is converted.</summary>
internal sealed record ConversionOptions
{
    public required Platform Platform { get; init; }

    /// <summary>See <see cref="PlatformSelector.Select"/>; null selects the default.</summary>
    public string? OsVersion { get; init; }

    /// <summary>See <see cref="PlatformRequest.HostVersion"/>.</summary>
    public string? HostVersion { get; init; }

    /// <summary>The image, if it has been chosen already; its version then does not matter.</summary>
    public IndexEntry? Entry { get; init; }

    /// <summary>
    /// Makes forked CIMs, each of which contains the image up to its layer, instead of block CIMs and a merged one. Layers are then
    /// imported one after the other.
    /// </summary>
    public bool Forked { get; init; }

    public BlockCimOptions Block { get; init; } = new();

    /// <summary>Merges the registry hives of child layers.</summary>
    public IHiveMerger Hives { get; init; } = new ManagedHiveMerger();

    /// <summary>Whether the converted manifest has the source's manifest as its <c>subject</c>.</summary>
    public bool WithSubject { get; init; }

    /// <summary>The limits of each layer.</summary>
    public InputLimits Input { get; init; } = new();

    /// <summary>Shared with the other conversions of the process; whoever created it disposes it.</summary>
    public ConversionLimits Limits { get; init; } = new();

    /// <summary>Layers that are downloaded and imported at the same time. The output does not depend on it.</summary>
    public int Concurrency { get; init; } = DefaultConcurrency;

    /// <summary>The image to convert, of those that a name stands for.</summary>
    /// <param name="source">Where it is.</param>
    /// <param name="cancellationToken">Cancels all requests.</param>
    /// <param name="root">What the name refers to, if it was fetched already.</param>
    /// <exception cref="ConversionException">See <see cref="ImageResolver"/>.</exception>
    public Task<ResolvedImage> ResolveAsync(IImageSource source, CancellationToken cancellationToken, FetchedManifest? root = null) => Entry is not null
        ? new ImageResolver(source).ResolveAsync(Entry, Platform, cancellationToken)
        : new ImageResolver(source).ResolveAsync(Request, cancellationToken, root);

    /// <summary>Which of the images that a name stands for is wanted.</summary>
    public PlatformRequest Request => new() { Platform = Platform, OsVersion = OsVersion, HostVersion = HostVersion };

    /// <summary>The image in messages: the source's name, and the platform if one of several has been chosen.</summary>
    public string NameOf(IImageSource source) => Entry?.Manifest.Platform is { } platform ? $"{source.Name} ({platform})" : source.Name;

    /// <summary>One layer for each core, at most 4: more is untested.</summary>
    public static int DefaultConcurrency { get; } = Math.Clamp(Environment.ProcessorCount, 1, 4);
}
