using System.Globalization;
using System.Text.RegularExpressions;

namespace CimConvert.Containerd;

/// <summary>What a daemon says of its version: <c>v2.1.9</c>, <c>1.6.20~ds1</c>, <c>2.2.0-rc.1</c>.</summary>
internal static partial class DaemonVersion
{
    /// <summary>The oldest that these calls were seen to work with.</summary>
    public const string Oldest = "1.6";

    private const int OldestMajor = 1;
    private const int OldestMinor = 6;

    /// <summary>Whether the version is known to be too old; one that cannot be read, of somebody's own build, is not.</summary>
    public static bool IsTooOld(string version)
    {
        var match = Grammar().Match(version);
        if (!match.Success)
        {
            return false;
        }

        var major = int.Parse(match.Groups["major"].ValueSpan, CultureInfo.InvariantCulture);
        var minor = int.Parse(match.Groups["minor"].ValueSpan, CultureInfo.InvariantCulture);
        return major < OldestMajor || (major == OldestMajor && minor < OldestMinor);
    }

    [GeneratedRegex(@"\Av?(?<major>[0-9]{1,6})\.(?<minor>[0-9]{1,6})", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Grammar();
}
