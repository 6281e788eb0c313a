using CimConvert.TestKit.Servers;

namespace CimConvert.TestKit.Containerd;

/// <summary>The versions that tests run against: one of each generation of its configuration and of its pulls.</summary>
public enum ContainerdVersion
{
    /// <summary>1.6, of Debian bookworm.</summary>
    V1_6,

    /// <summary>1.7, of Debian trixie: the first with proxy differs.</summary>
    V1_7,

    /// <summary>2.1, of Debian sid: configuration version 3, pulls by the transfer service.</summary>
    V2_1,
}

/// <summary>A containerd that <c>tests/containerd.sh</c> has fetched, with its own <c>ctr</c>.</summary>
public sealed record ContainerdProgram(ContainerdVersion Version, string Daemon, string Ctr)
{
    /// <summary>Where the script puts them: by the same rule as it.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("CIMCONVERT_CONTAINERD") is { Length: > 0 } folder
        ? folder
        : Path.Combine(CacheFolder, "cimconvert", "containerd");

    private static string CacheFolder => Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
        ? cache
        : Path.Combine(Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? home : "/tmp", ".cache");

    /// <summary>The programs of a version. Ends the test as ignored, saying why, where they are not there.</summary>
    public static ContainerdProgram Require(ContainerdVersion version)
    {
        string suite = version switch
        {
            ContainerdVersion.V1_6 => "bookworm",
            ContainerdVersion.V1_7 => "trixie",
            _ => "sid",
        };
        string programs = Path.Combine(Folder, suite, "usr", "bin");
        return new ContainerdProgram(
            version,
            Tools.Require($"containerd of {suite} (see tests/containerd.sh)", Path.Combine(programs, "containerd")),
            Tools.Require($"ctr of {suite} (see tests/containerd.sh)", Path.Combine(programs, "ctr")));
    }
}
