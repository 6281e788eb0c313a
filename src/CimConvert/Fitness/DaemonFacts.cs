using CimConvert.Containerd;
using CimConvert.Oci;

namespace CimConvert.Fitness;

/// <summary>What a daemon tells of itself, and what its file says, as far as both can be read.</summary>
internal sealed record DaemonFacts
{
    public required string Version { get; init; }

    public required IReadOnlyList<ContainerdPlugin> Plugins { get; init; }

    /// <summary>The loaded snapshotter that images are prewarmed into.</summary>
    public required string Snapshotter { get; init; }

    public required CriConfiguration? Cri { get; init; }

    /// <summary>Why there is none.</summary>
    public string? CriProblem { get; init; }

    public required DaemonConfiguration? File { get; init; }

    /// <summary>Why it could not be read.</summary>
    public string? FileProblem { get; init; }

    /// <summary>What the daemon's machine runs, which is this one.</summary>
    public required Platform Platform { get; init; }

    /// <summary>Null for a version that is somebody's own.</summary>
    public (int Major, int Minor)? Numbers => DaemonVersion.TryRead(Version);

    public IReadOnlyList<string> SuitableDiffers => DifferChoice.Suitable(Plugins, Snapshotter);

    public IReadOnlyList<string> LoadedDiffers => DifferChoice.Loaded(Plugins);

    /// <summary>Settings of the file, in the form that its version has.</summary>
    public ConfigurationLines Lines => new(File, IsBefore(2, 0));

    /// <summary>Whether the version is known to be older.</summary>
    public bool IsBefore(int major, int minor) => Numbers is { } numbers && numbers.CompareTo((major, minor)) < 0;
}
