using System.Globalization;
using System.Text.RegularExpressions;

namespace CimConvert.Registry.Hosts;

/// <summary>Durations of Go programs' configuration, such as <c>1m30s</c> (https://pkg.go.dev/time#ParseDuration).</summary>
internal static partial class GoDuration
{
    /// <returns>Null if the text is not a duration from 1 ms to 1 h.</returns>
    public static TimeSpan? Parse(string text)
    {
        var match = Grammar().Match(text);
        if (!match.Success)
        {
            return null;
        }

        var seconds = 0.0;
        for (var i = 0; i < match.Groups["unit"].Captures.Count; i++)
        {
            seconds += double.Parse(match.Groups["number"].Captures[i].ValueSpan, CultureInfo.InvariantCulture) * match.Groups["unit"].Captures[i].Value switch
            {
                "h" => 3600,
                "m" => 60,
                "s" => 1,
                "ms" => 1e-3,
                "ns" => 1e-9,
                _ => 1e-6,
            };
        }

        return seconds is >= 1e-3 and <= 3600 ? TimeSpan.FromSeconds(seconds) : null;
    }

    [GeneratedRegex(
        @"\A(?:(?<number>[0-9]{1,9}(?:\.[0-9]{1,9})?)(?<unit>h|ms|m|s|us|µs|ns)){1,6}\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        Timeout.Infinite)]
    private static partial Regex Grammar();
}
