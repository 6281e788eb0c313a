namespace CimConvert.Formats.Regf;

/// <summary>Limits of the registry itself (Windows SDK, "Registry element size limits"), put on everything read and written.</summary>
internal static class RegfLimits
{
    /// <summary>Levels of keys below the root.</summary>
    public const int Depth = 512;

    /// <summary>UTF-16 units of a key's name: the documented 255 and the one more that the kernel lets through.</summary>
    public const int KeyName = 256;

    /// <summary>UTF-16 units of a value's name.</summary>
    public const int ValueName = 16_383;

    /// <summary>Lists of lists of keys: the format knows one level, hivex reads 32; a few are let through.</summary>
    public const int ListDepth = 4;

    /// <summary>Bytes of all bins: offsets above this would not fit the signed arithmetic of Windows' own reader.</summary>
    public const long BinsSize = int.MaxValue - BinField.Page + 1L;
}
