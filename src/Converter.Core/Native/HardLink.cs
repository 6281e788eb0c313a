namespace Converter.Core.Native;

/// <summary>Hard links, which the runtime has no call for.</summary>
internal static class HardLink
{
    /// <summary>Gives a file another name; false where the file system, or a name already there, does not let it.</summary>
    public static bool TryCreate(string created, string existing) => OperatingSystem.IsWindows()
        ? Kernel32.CreateHardLink(NativePath.Of(created), NativePath.Of(existing), 0)
        : Libc.Link(existing, created) == 0;
}
