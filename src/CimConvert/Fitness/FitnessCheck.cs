namespace CimConvert.Fitness;

internal enum FitnessStatus
{
    Ok,

    /// <summary>Works, though not for everything.</summary>
    Warning,

    /// <summary>The node is not fit.</summary>
    Failed,

    /// <summary>Could not be checked here.</summary>
    Unknown,
}

/// <summary>What one check found.</summary>
/// <param name="Name">Its name, which scripts rely on (docs/cli.md).</param>
/// <param name="Status">The outcome.</param>
/// <param name="Message">One line: what was found and, if it is not good, what to do.</param>
internal sealed record FitnessCheck(string Name, FitnessStatus Status, string Message)
{
    /// <summary>Lines for the daemon's <c>config.toml</c> with which the check would be ok.</summary>
    public IReadOnlyList<string> Configuration { get; init; } = [];

    public static FitnessCheck Ok(string name, string message) => new(name, FitnessStatus.Ok, message);

    public static FitnessCheck Warning(string name, string message) => new(name, FitnessStatus.Warning, message);

    public static FitnessCheck Failed(string name, string message) => new(name, FitnessStatus.Failed, message);

    public static FitnessCheck Unknown(string name, string message) => new(name, FitnessStatus.Unknown, message);
}

/// <summary>All that was found.</summary>
/// <param name="Checks">The checks, in a fixed order.</param>
/// <param name="ConfigurationPath">The daemon's <c>config.toml</c>.</param>
/// <param name="Configuration">All lines for it, in the order of the checks.</param>
internal sealed record FitnessReport(IReadOnlyList<FitnessCheck> Checks, string ConfigurationPath, IReadOnlyList<string> Configuration)
{
    /// <summary>What could not be checked does not make a node unfit.</summary>
    public bool IsFit => Checks.All(check => check.Status != FitnessStatus.Failed);
}
