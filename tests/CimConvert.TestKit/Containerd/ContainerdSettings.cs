namespace CimConvert.TestKit.Containerd;

/// <summary>What a test's daemon is configured with.</summary>
public sealed record ContainerdSettings
{
    public required ContainerdVersion Version { get; init; }

    /// <summary>The proxy snapshotter, which CRI and the transfer service use: its name and its socket. Null leaves the daemon's own.</summary>
    public (string Name, string Socket)? Snapshotter { get; init; }

    /// <summary>
    /// The proxy differ, asked before the daemon's own: its name and its socket. Null for none; 1.6 has no proxy differs.
    /// </summary>
    public (string Name, string Socket)? Differ { get; init; }

    /// <summary>Whether CRI and the services are told to use the proxy plugins; else these are only there.</summary>
    public bool UsesPlugins { get; init; } = true;

    /// <summary>Registries, as <c>127.0.0.1:PORT</c>, that are asked over plain HTTP.</summary>
    public IReadOnlyList<string> PlainHttpRegistries { get; init; } = [];

    /// <summary>A file of certificates that the daemon and its ctr trust, where registries speak TLS.</summary>
    public string? Authorities { get; init; }

    /// <summary>The platform of images that the proxy snapshotter and differ are for.</summary>
    public string UnpackPlatform { get; init; } = "linux/amd64";

    /// <summary>Whether CRI pulls as daemons before 2.1 do, and not by the transfer service.</summary>
    public bool PullsLocally { get; init; }
}
