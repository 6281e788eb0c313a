namespace CimConvert.TestKit.Oracles;

/// <summary>The Win32 attributes a CIM can hold.</summary>
internal static class OracleAttributes
{
    public const uint Directory = 0x10;
    public const uint Normal = 0x80;
    public const uint ReparsePoint = 0x400;

    // Read-only, hidden, system, archive, sparse: the flag bits a CIM's file entry has.
    private const uint Kept = 0x01 | 0x02 | 0x04 | 0x20 | 0x200;

    public static uint Of(uint fileAttributes, OracleKind kind)
    {
        uint attributes = (fileAttributes & Kept) | kind switch
        {
            OracleKind.File => 0,
            OracleKind.Directory => Directory,
            _ => ReparsePoint | (fileAttributes & Directory),
        };
        return attributes == 0 ? Normal : attributes;
    }
}
