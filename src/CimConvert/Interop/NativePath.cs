namespace CimConvert.Interop;

/// <summary>Paths as Windows' own libraries take them: whole, and in the long form where they are long.</summary>
internal static class NativePath
{
    /// <summary>MAX_PATH: from here on a path needs the prefix that turns its limit off ("Maximum Path Length Limitation", learn.microsoft.com).</summary>
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

        var whole = Path.GetFullPath(path);
        return !OperatingSystem.IsWindows() || whole.Length < MaxShortPath || whole.StartsWith(LongPrefix, StringComparison.Ordinal) ? whole
            : whole.StartsWith(@"\\", StringComparison.Ordinal) ? string.Concat(LongUncPrefix, whole.AsSpan(2))
            : LongPrefix + whole;
    }

    /// <summary>Whether a path is of a disk or volume itself: <c>\\.\PhysicalDrive3</c>, <c>\\?\Volume{GUID}</c>, with or without a <c>\</c> behind it.</summary>
    public static bool IsDevice(string path) =>
        (path.StartsWith(DevicePrefix, StringComparison.Ordinal) || path.StartsWith(VolumePrefix, StringComparison.OrdinalIgnoreCase))
        && path.TrimEnd('\\').LastIndexOf('\\') == DevicePrefix.Length - 1;
}
