using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Sources;

namespace CimConvert.Prewarming;

/// <summary>A list file of <c>prewarm</c> (docs/prewarm.md): images to convert, and limits for the run.</summary>
internal sealed record PrewarmList
{
    /// <summary>The store's folder; null if the images go elsewhere.</summary>
    public string? Store { get; init; }

    /// <summary>The containerd that the images go into; null for the store.</summary>
    public IntoContainerd? Into { get; init; }

    /// <summary>In the order of the file, without duplicates; an image of which the file names several versions is several.</summary>
    public required IReadOnlyList<PrewarmImage> Images { get; init; }

    /// <summary>See <see cref="PlatformRequest.HostVersion"/>.</summary>
    public string? HostVersion { get; init; }

    public PrewarmRegistries Registries { get; init; } = new();

    public PrewarmConcurrency Concurrency { get; init; } = new();

    /// <summary>How many retries of images the whole run may spend on transient failures.</summary>
    public int RetryBudget { get; init; } = 10;

    public PrewarmDisk Disk { get; init; } = new();

    /// <summary>Limits for each layer.</summary>
    public InputLimits Limits { get; init; } = new();

    /// <summary>Bytes per second for all downloads together; null for no limit.</summary>
    public long? Bandwidth { get; init; }

    /// <summary>The time of day at which images may start; null for any time.</summary>
    public DailyWindow? Window { get; init; }

    /// <summary>Whether to skip an image if the registry it is pushed to already has it, converted from the same source with the same options.</summary>
    public bool SkipPushed { get; init; }

    /// <summary>How converted images are pushed.</summary>
    public PushSettings PushSettings { get; init; } = PushSettings.Default;

    /// <summary>Whether the other images continue after one has failed for good.</summary>
    public bool KeepGoing { get; init; } = true;
}

/// <summary>How registries are reached. For null, the command line or its default decides.</summary>
internal sealed record PrewarmRegistries
{
    public string? HostsDir { get; init; }

    public string? CertDir { get; init; }

    public bool? PlainHttp { get; init; }

    public TimeSpan? StallTimeout { get; init; }
}

/// <summary>How many run at once. Imports are limited to one by default, since parallel imports have overloaded hosts.</summary>
internal sealed record PrewarmConcurrency
{
    public int Images { get; init; } = 2;

    public int Downloads { get; init; } = 4;

    public int Imports { get; init; } = 1;
}

/// <summary>Limits for the disk, in bytes; null for no limit.</summary>
internal sealed record PrewarmDisk
{
    /// <summary>Space that must stay free.</summary>
    public long? MinFree { get; init; }

    /// <summary>The most the store may hold.</summary>
    public long? MaxStore { get; init; }
}

/// <summary>One image in the list.</summary>
internal sealed record PrewarmImage
{
    public required ImageLocation Location { get; init; }

    public required Platform Platform { get; init; }

    /// <summary>See <see cref="PlatformSelector.Select"/>; null selects the default.</summary>
    public string? OsVersion { get; init; }

    /// <summary>Whether it stands for every version that the index has.</summary>
    public bool AllVersions { get; init; }

    /// <summary>The versions that it stands for, if those are several that the list names.</summary>
    public IReadOnlyList<string> Versions { get; init; } = [];

    /// <summary>Which of all versions, once the index was read.</summary>
    public IndexEntry? Entry { get; init; }

    /// <summary>Whether it is one of several versions of an index: they are pushed as an index, too.</summary>
    public bool IsOfIndex { get; init; }

    /// <summary>Whether it stands for several images.</summary>
    public bool HasVersions => AllVersions || Versions.Count > 0;

    public bool Integrity { get; init; }

    public bool VhdFooter { get; init; }

    /// <summary>See <see cref="CimBackends"/>.</summary>
    public required string Backend { get; init; }

    /// <summary>Whether it is taken from a registry, converted.</summary>
    public ConvertedPreference Converted { get; init; }

    /// <summary>Where the converted image may be, besides among the source's referrers; null for nowhere.</summary>
    public ImageReference? From { get; init; }

    /// <summary>Where the converted image is pushed to; null for no push.</summary>
    public ImageReference? Push { get; init; }

    /// <summary>Whether the converted manifest has the source's manifest as its subject.</summary>
    public bool Subject { get; init; }

    /// <summary>What says which image is converted.</summary>
    public ConversionOptions Options(PrewarmList list) => new()
    {
        Platform = Platform,
        OsVersion = OsVersion,
        HostVersion = list.HostVersion,
        Entry = Entry,
    };

    /// <summary>This image, or where it stands for several versions, one for each.</summary>
    /// <exception cref="ConversionException">The index is not available, or has nothing for the platform.</exception>
    public async Task<IReadOnlyList<PrewarmImage>> ListAsync(IImageSource source, CancellationToken cancellationToken)
    {
        var one = this with { AllVersions = false, Versions = [] };
        return Versions.Count > 0 ? [.. Versions.Select(version => one with { OsVersion = version, IsOfIndex = true })]
            : AllVersions && await new ImageResolver(source).ListAsync(Platform, cancellationToken) is { } entries
                ? [.. entries.Select(entry => one with { Entry = entry, IsOfIndex = true })]
            : [one];
    }

    /// <summary>The platform as far as it is known before the image is converted: that of the index, else what is asked for.</summary>
    public Platform Wanted => Entry?.Manifest.Platform ?? Platform with { OsVersion = OsVersion };
}
