namespace CimConvert.Fitness;

/// <summary>Free space where the snapshotter keeps its layers.</summary>
internal static class DiskCheck
{
    /// <summary>Below this a base layer of Server Core, which takes some 6 GiB, is near to not fitting beside what is downloaded of it.</summary>
    public const long Comfortable = 20L << 30;

    /// <summary>Below this not even a Nano Server fits.</summary>
    public const long Needed = 1L << 30;

    /// <param name="folder">The snapshotter's folder; null if the daemon does not tell.</param>
    public static FitnessCheck Of(string? folder)
    {
        if (folder is null || Existing(folder) is not { } existing)
        {
            return FitnessCheck.Unknown(CheckNames.Disk, "the daemon does not say where the snapshotter keeps its layers");
        }

        try
        {
            return OfFree(new DriveInfo(existing).AvailableFreeSpace, existing);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return FitnessCheck.Unknown(CheckNames.Disk, $"the free space of {Printable.Of(existing)} cannot be read: {Printable.Of(e.Message)}");
        }
    }

    /// <summary>The rule alone.</summary>
    public static FitnessCheck OfFree(long free, string folder)
    {
        var message = $"{Printable.Of(Gibibytes(free))} free at {Printable.Of(folder)}";
        return free >= Comfortable ? FitnessCheck.Ok(CheckNames.Disk, message)
            : free >= Needed
                ? FitnessCheck.Warning(CheckNames.Disk, $"{message}: images of Windows take many, make room for {Gibibytes(Comfortable)}")
            : FitnessCheck.Failed(CheckNames.Disk, $"{message}: no layer fits, make room for {Gibibytes(Comfortable)}");
    }

    /// <summary>The folder, or the nearest above it that is there: a snapshotter makes its own when it first needs it.</summary>
    private static string? Existing(string folder)
    {
        var path = Path.IsPathFullyQualified(folder) && !folder.Contains('\0', StringComparison.Ordinal) ? folder : null;
        while (path is not null && !Directory.Exists(path))
        {
            path = Path.GetDirectoryName(path);
        }

        return path;
    }

    private static string Gibibytes(long bytes) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB");
}
