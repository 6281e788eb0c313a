using CimConvert.Interop;

namespace CimConvert.Pipeline;

/// <summary>The version of Windows that this program runs on, as an image's <c>os.version</c> has it.</summary>
internal static class HostVersion
{
    /// <returns>Major, minor, build and revision.</returns>
    /// <exception cref="InvalidDataException">This is not Windows.</exception>
    public static string Read()
    {
        if (!OperatingSystem.IsWindows())
        {
            throw new InvalidDataException("this machine has no version of Windows; name one, such as 10.0.20348");
        }

        var version = Environment.OSVersion.Version;
        return $"{version.Major}.{version.Minor}.{WindowsBuild.Build}.{WindowsBuild.Revision}";
    }
}
