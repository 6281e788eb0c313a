namespace CimConvert.Interop;

/// <summary>Makes paths that native Windows libraries accept: absolute, and with the <c>\\?\</c> prefix if they are long.</summary>
internal static class NativePath
{
    /// <summary>MAX_PATH: a path of this length or more needs the prefix (learn.microsoft.com, "Maximum Path Length Limitation").</summary>
    private const int MaxShortPath = 260;

    private const string LongPrefix = @"\\?\";
    private const string LongUncPrefix = @"\\?\UNC\";
    private const string DevicePrefix = @"\\.\";
    private const string VolumePrefix = @"\\?\Volume{";

    public static string Of(string path)
    {
        if (IsDevice(path))
        {
            return path.TrimEnd('\\');
        }

        var absolute = Path.GetFullPath(path);
        return !OperatingSystem.IsWindows() || absolute.Length < MaxShortPath || absolute.StartsWith(LongPrefix, StringComparison.Ordinal) ? absolute
            : absolute.StartsWith(@"\\", StringComparison.Ordinal) ? string.Concat(LongUncPrefix, absolute.AsSpan(2))
            : LongPrefix + absolute;
    }

    /// <summary>
    /// Whether a path is that of a disk or volume: <c>\\.\PhysicalDrive3</c>, <c>\\?\Volume{GUID}</c>, with or without a trailing <c>\</c>.
    /// </summary>
    public static bool IsDevice(string path) =>
        (path.StartsWith(DevicePrefix, StringComparison.Ordinal) || path.StartsWith(VolumePrefix, StringComparison.OrdinalIgnoreCase))
        && path.TrimEnd('\\').LastIndexOf('\\') == DevicePrefix.Length - 1;
}
