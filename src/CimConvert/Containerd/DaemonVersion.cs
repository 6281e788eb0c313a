using System.Globalization;
using System.Text.RegularExpressions;

namespace CimConvert.Containerd;

/// <summary>What a daemon says of its version: <c>v2.1.9</c>, <c>1.6.20~ds1</c>, <c>2.2.0-rc.1</c>.</summary>
internal static partial class DaemonVersion
{
    /// <summary>The oldest that these calls were seen to work with.</summary>
    public const string Oldest = "1.6";

    private static readonly (int Major, int Minor) s_oldest = (1, 6);

    /// <summary>Whether the version is known to be too old; one that cannot be read, of somebody's own build, is not.</summary>
    public static bool IsTooOld(string version) => TryRead(version) is { } numbers && numbers.CompareTo(s_oldest) < 0;

    /// <summary>The first two numbers; null if the version does not start with them.</summary>
    public static (int Major, int Minor)? TryRead(string version)
    {
        var match = Grammar().Match(version);
        return match.Success
            ? (int.Parse(match.Groups["major"].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups["minor"].ValueSpan, CultureInfo.InvariantCulture))
            : null;
    }

    [GeneratedRegex(@"\Av?(?<major>[0-9]{1,6})\.(?<minor>[0-9]{1,6})", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Grammar();
}
