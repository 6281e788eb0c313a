using CimConvert.Interop;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Storage;

/// <summary>Tells a system early that what was written will have to be on the disk soon.</summary>
internal static class Writeback
{
    /// <summary>
    /// Begins to write a part of a file to the disk, where the system can be told so: Linux else begins after seconds. A hint, which
    /// may come to nothing; only a flush makes anything durable.
    /// </summary>
    public static void Begin(SafeFileHandle file, long offset, long length)
    {
        if (OperatingSystem.IsLinux() && length > 0)
        {
            _ = Libc.SyncFileRange(file, offset, length, Libc.BeginWriting);
        }
    }
}
