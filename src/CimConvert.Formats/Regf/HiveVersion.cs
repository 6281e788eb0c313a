namespace CimConvert.Formats.Regf;

/// <summary>Minor versions of the format; the major one is 1 throughout.</summary>
internal static class HiveVersion
{
    public const uint Major = 1;

    /// <summary>Windows NT 4.</summary>
    public const int Oldest = 3;

    /// <summary>Windows XP and later: hash leaves and big data. What offreg.dll and Windows save ordinary hives as.</summary>
    public const int Plain = 5;

    /// <summary>Windows 10 and later: differencing hives.</summary>
    public const int Layered = 6;
}
