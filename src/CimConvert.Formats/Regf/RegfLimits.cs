namespace CimConvert.Formats.Regf;

/// <summary>
/// Limits on everything read and written, from the registry itself (learn.microsoft.com, "Registry element size limits").
/// </summary>
internal static class RegfLimits
{
    /// <summary>Levels of keys below the root.</summary>
    public const int Depth = 512;

    /// <summary>UTF-16 units of a key's name: the documented limit is 255, but the kernel accepts 256.</summary>
    public const int KeyName = 256;

    /// <summary>UTF-16 units of a value's name.</summary>
    public const int ValueName = 16_383;

    /// <summary>Levels of lists of subkey lists. The format has one, hivex accepts 32; a few are accepted here.</summary>
    public const int ListDepth = 4;

    /// <summary>Bytes of all bins. Larger offsets overflow the signed arithmetic of Windows' reader.</summary>
    public const long BinsSize = int.MaxValue - BinField.Page + 1L;
}
