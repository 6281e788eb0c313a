using CimConvert.Interop;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Storage;

/// <summary>Starts writing dirty pages to the disk early, so that the final flush has less to wait for.</summary>
internal static class Writeback
{
    /// <summary>
    /// Starts writing a range of a file to the disk, on Linux, which otherwise waits for seconds (sync_file_range(2)). Only a hint:
    /// nothing is durable before a flush.
    /// </summary>
    public static void Begin(SafeFileHandle file, long offset, long length)
    {
        if (OperatingSystem.IsLinux() && length > 0)
        {
            _ = Libc.SyncFileRange(file, offset, length, Libc.BeginWriting);
        }
    }
}
