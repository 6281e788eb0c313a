using CimConvert.Interop;

namespace CimConvert.Cims;

/// <summary>What kind of place a block CIM is in: a file, or a disk or volume without a file system.</summary>
internal static class BlockLocation
{
    /// <summary>Whether a path is of a device: <c>\\.\PhysicalDrive3</c> or <c>\\?\Volume{GUID}</c>. Only Windows' own writer takes those.</summary>
    public static bool IsDevice(string path) => NativePath.IsDevice(path);
}
