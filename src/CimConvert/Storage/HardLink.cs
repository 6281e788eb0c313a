using CimConvert.Interop;

namespace CimConvert.Storage;

/// <summary>Hard links, which .NET has no API for.</summary>
internal static class HardLink
{
    /// <summary>Creates a hard link. False if the name exists already, or the file system has no hard links.</summary>
    public static bool TryCreate(string created, string existing) => OperatingSystem.IsWindows()
        ? Kernel32.CreateHardLink(NativePath.Of(created), NativePath.Of(existing), 0)
        : Libc.Link(existing, created) == 0;

    /// <summary>Gives a file a second name, or copies it where the file system has no hard links.</summary>
    public static void CreateOrCopy(string created, string existing)
    {
        if (!TryCreate(created, existing))
        {
            AtomicFile.Copy(existing, created);
        }
    }

    /// <summary>The number of names a file has; 1 if the system does not tell.</summary>
    public static long Count(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                return Kernel32.GetFileInformationByHandle(file, out var information) ? information.NumberOfLinks : 1;
            }
            catch (IOException)
            {
                // Opened exclusively by another process.
                return 1;
            }
        }

        return OperatingSystem.IsLinux() && Libc.Statx(Libc.CurrentDirectory, path, flags: 0, Libc.LinkCount, out var status) == 0 ? status.Links : 1;
    }
}
