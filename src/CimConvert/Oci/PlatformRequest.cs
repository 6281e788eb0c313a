namespace CimConvert.Oci;

/// <summary>Which image is wanted of a name that stands for several platforms.</summary>
internal sealed record PlatformRequest
{
    /// <summary>Operating system, architecture and, if set, variant.</summary>
    public required Platform Platform { get; init; }

    /// <summary>See <see cref="PlatformSelector.Select"/>; null for the default.</summary>
    public string? OsVersion { get; init; }

    /// <summary>The version of this Windows, which is the default; null on another system, where the default is the highest version.</summary>
    public string? HostVersion { get; init; }

    /// <summary>
    /// The version by which to choose among several images. Where a name stands for one image only there is nothing to choose, and only
    /// <see cref="OsVersion"/> can refuse it.
    /// </summary>
    public string? Preferred => OsVersion ?? (Platform.Os == Platform.Windows ? HostVersion : null);
}
