using CimConvert.Interop;

namespace CimConvert.Pipeline;

/// <summary>The version of Windows on this machine, in the form of an OCI image's <c>os.version</c>.</summary>
internal static class HostVersion
{
    /// <returns>Major, minor, build and revision: <c>10.0.20348.2031</c>.</returns>
    /// <exception cref="InvalidDataException">This is not Windows.</exception>
    public static string Read() => OperatingSystem.IsWindows()
        ? WindowsBuild.FullVersion
        : throw new InvalidDataException("this machine does not run Windows: name a version, such as 10.0.20348");
}
