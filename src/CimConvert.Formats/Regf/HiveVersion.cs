namespace CimConvert.Formats.Regf;

/// <summary>Versions of the format; the major version is always 1.</summary>
internal static class HiveVersion
{
    public const uint Major = 1;

    /// <summary>Windows NT 4.</summary>
    public const int Oldest = 3;

    /// <summary>Windows XP and later: hash leaves and big data. The version in which Windows and offreg.dll save ordinary hives.</summary>
    public const int Plain = 5;

    /// <summary>Windows 10 and later: differencing hives.</summary>
    public const int Layered = 6;
}
