using System.Globalization;

namespace CimConvert;

/// <summary>Parses sizes and durations: a whole number and a unit.</summary>
internal static class Quantities
{
    private static readonly (string Unit, long Bytes)[] s_sizes =
    [
        ("", 1), ("B", 1),
        ("KB", 1000), ("MB", 1000 * 1000), ("GB", 1000L * 1000 * 1000), ("TB", 1000L * 1000 * 1000 * 1000),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
    ];

    private static readonly (string Unit, long Seconds)[] s_durations = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];

    /// <summary>The bytes of a size such as <c>20GiB</c>, <c>500MB</c> or <c>4096</c>; the unit in any case.</summary>
    /// <exception cref="InvalidDataException">The text is not a size, or the size exceeds 64 bits.</exception>
    public static long ParseSize(string text) => Parse(text, s_sizes, long.MaxValue)
        ?? throw new InvalidDataException($"'{text}' is no size: write a whole number of bytes, or one with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 20GiB");

    /// <summary>A duration such as <c>30s</c>, <c>15m</c>, <c>12h</c> or <c>30d</c>; the unit in any case.</summary>
    /// <exception cref="InvalidDataException">The text is not a duration, or exceeds a <see cref="TimeSpan"/>.</exception>
    public static TimeSpan ParseDuration(string text) => Parse(text, s_durations, TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerSecond) is { } seconds
        ? TimeSpan.FromSeconds(seconds)
        : throw new InvalidDataException($"'{text}' is no duration: write a whole number with s, m, h or d, such as 12h or 30d");

    private static long? Parse(string text, (string Unit, long Factor)[] units, long limit)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and var end ? end : text.Length;
        var unit = text[digits..].TrimStart(' ');
        foreach (var (name, factor) in units)
        {
            if (unit.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= limit / factor
                    ? number * factor
                    : null;
            }
        }

        return null;
    }
}
