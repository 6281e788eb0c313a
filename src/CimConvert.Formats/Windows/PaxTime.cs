using System.Globalization;

namespace CimConvert.Formats.Windows;

/// <summary>Converts PAX times, seconds since 1970 with an optional fraction, to FILETIME.</summary>
/// <remarks>
/// Digits beyond 100 ns are dropped and times round towards zero, also before 1970, as go-winio does
/// (github.com/microsoft/go-winio, backuptar/strconv.go; golang.org/x/sys/windows, NsecToFiletime). go-winio's nanoseconds
/// overflow outside 1678..2262; here the whole range of FILETIME works.
/// </remarks>
internal static class PaxTime
{
    /// <summary>1970-01-01 as FILETIME.</summary>
    public const long UnixEpoch = 116_444_736_000_000_000;

    private const long TicksPerSecond = 10_000_000;
    private const int FractionDigits = 7;

    /// <exception cref="InvalidDataException">The text is not a time, or the time lies outside 1601..30828.</exception>
    public static long ToFileTime(ReadOnlySpan<byte> text)
    {
        var negative = text.StartsWith("-"u8);
        var digits = negative ? text[1..] : text;
        var point = digits.IndexOf((byte)'.');
        var fraction = point < 0 ? default : digits[(point + 1)..];
        if (!long.TryParse(point < 0 ? digits : digits[..point], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            throw new InvalidDataException("a time that is not 'seconds[.fraction]'");
        }

        long ticks = 0;
        for (var i = 0; i < FractionDigits; i++)
        {
            ticks = (ticks * 10) + (i < fraction.Length ? fraction[i] - '0' : 0);
        }

        var magnitude = ((Int128)seconds * TicksPerSecond) + ticks;
        return Checked(negative ? -magnitude : magnitude);
    }

    /// <exception cref="InvalidDataException">The time lies outside 1601..30828.</exception>
    public static long ToFileTime(long seconds) => Checked((Int128)seconds * TicksPerSecond);

    /// <summary>Windows treats a FILETIME with the sign bit set as invalid.</summary>
    private static long Checked(Int128 sinceUnixEpoch)
    {
        var fileTime = sinceUnixEpoch + UnixEpoch;
        return fileTime >= 0 && fileTime <= long.MaxValue
            ? (long)fileTime
            : throw new InvalidDataException("a time outside the range of Windows' FILETIME (years 1601 to 30828)");
    }
}
