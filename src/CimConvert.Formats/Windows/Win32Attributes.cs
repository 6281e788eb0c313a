namespace CimConvert.Formats.Windows;

/// <summary>The FILE_ATTRIBUTE_ bits that layers use (Windows SDK, winnt.h).</summary>
internal static class Win32Attributes
{
    public const uint ReadOnly = 0x1;
    public const uint Hidden = 0x2;
    public const uint System = 0x4;
    public const uint Directory = 0x10;
    public const uint Archive = 0x20;
    public const uint Normal = 0x80;
    public const uint SparseFile = 0x200;
    public const uint ReparsePoint = 0x400;
}
