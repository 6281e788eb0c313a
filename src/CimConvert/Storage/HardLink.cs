using CimConvert.Interop;

namespace CimConvert.Storage;

/// <summary>Hard links, which the runtime has no call for.</summary>
internal static class HardLink
{
    /// <summary>Gives a file another name; false where the file system, or a name already there, does not let it.</summary>
    public static bool TryCreate(string created, string existing) => OperatingSystem.IsWindows()
        ? Kernel32.CreateHardLink(NativePath.Of(created), NativePath.Of(existing), 0)
        : Libc.Link(existing, created) == 0;

    /// <summary>How many names a file has; one where the system does not say.</summary>
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
                // Whoever has it open shares it with nobody.
                return 1;
            }
        }

        return OperatingSystem.IsLinux() && Libc.Statx(Libc.CurrentDirectory, path, flags: 0, Libc.LinkCount, out var status) == 0 ? status.Links : 1;
    }
}
