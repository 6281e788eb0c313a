using CimConvert.Interop;

namespace CimConvert.Pipeline;

/// <summary>The version of Windows on this machine, in the form of an OCI image's <c>os.version</c>.</summary>
internal static class HostVersion
{
    /// <summary>What users write for it.</summary>
    public const string Name = "host";

    /// <summary>Major, minor, build and revision: <c>10.0.20348.2031</c>. Null on another system.</summary>
    public static string? OfThisWindows { get; } = OperatingSystem.IsWindows() ? WindowsBuild.FullVersion : null;

    /// <summary>Reads a version as users write it.</summary>
    /// <param name="text">A version or its first parts, or <see cref="Name"/>.</param>
    /// <param name="host">What that name stands for; null if this is not Windows.</param>
    /// <exception cref="InvalidDataException">It is that name, and this is not Windows.</exception>
    public static string Parse(string text, string? host) => text is not Name
        ? text
        : host ?? throw new InvalidDataException("this machine does not run Windows: name a version, such as 10.0.20348");
}
