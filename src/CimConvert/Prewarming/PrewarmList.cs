using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Sources;

namespace CimConvert.Prewarming;

/// <summary>What <c>prewarm</c> is to do: the images of one list file, and how much of the machine they may have.</summary>
internal sealed record PrewarmList
{
    /// <summary>The folder of the store.</summary>
    public required string Store { get; init; }

    /// <summary>In the order of the file; no two are the same.</summary>
    public required IReadOnlyList<PrewarmImage> Images { get; init; }

    public PrewarmRegistries Registries { get; init; } = new();

    public PrewarmConcurrency Concurrency { get; init; } = new();

    /// <summary>How often, in the whole run, an image that failed for a reason that may pass is tried again.</summary>
    public int RetryBudget { get; init; } = 10;

    public PrewarmDisk Disk { get; init; } = new();

    /// <summary>What each layer may take.</summary>
    public InputLimits Limits { get; init; } = new();

    /// <summary>Bytes a second that all downloads together may take; null for as many as come.</summary>
    public long? Bandwidth { get; init; }

    /// <summary>When images may be started; null for always.</summary>
    public DailyWindow? Window { get; init; }

    /// <summary>Whether an image is left alone that the registry it is pushed to has, converted from the same source in the same way.</summary>
    public bool SkipPushed { get; init; }

    /// <summary>Whether the others go on when an image has failed for good.</summary>
    public bool KeepGoing { get; init; } = true;
}

/// <summary>How registries are reached; what is null is as the command line, or its default, has it.</summary>
internal sealed record PrewarmRegistries
{
    public string? HostsDir { get; init; }

    public string? CertDir { get; init; }

    public bool? PlainHttp { get; init; }

    public TimeSpan? StallTimeout { get; init; }
}

/// <summary>Of imports there are few by default: machines have fallen over under many at once.</summary>
internal sealed record PrewarmConcurrency
{
    public int Images { get; init; } = 2;

    public int Downloads { get; init; } = 4;

    public int Imports { get; init; } = 1;
}

/// <summary>What the store may take of the disk, in bytes; null for no limit.</summary>
internal sealed record PrewarmDisk
{
    /// <summary>Free space that must be left.</summary>
    public long? MinFree { get; init; }

    /// <summary>The most the store may hold.</summary>
    public long? MaxStore { get; init; }
}

/// <summary>One image of the list.</summary>
internal sealed record PrewarmImage
{
    public required ImageLocation Location { get; init; }

    public required Platform Platform { get; init; }

    public string? OsVersion { get; init; }

    public bool Integrity { get; init; }

    public bool VhdFooter { get; init; }

    /// <summary>See <see cref="CimBackends"/>.</summary>
    public required string Backend { get; init; }

    /// <summary>Where the converted image goes; null for nowhere but the store.</summary>
    public ImageReference? Push { get; init; }

    /// <summary>Whether the converted manifest names the source as its subject.</summary>
    public bool Subject { get; init; }
}
