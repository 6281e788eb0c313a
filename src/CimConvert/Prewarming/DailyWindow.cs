using System.Globalization;

namespace CimConvert.Prewarming;

/// <summary>A daily time span in the machine's time zone, including the first minute and excluding the last. It may span midnight.</summary>
internal sealed record DailyWindow(TimeOnly From, TimeOnly To)
{
    private const string Format = "HH:mm";

    /// <exception cref="InvalidDataException">The text does not have the form <c>22:00-05:30</c>.</exception>
    public static DailyWindow Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('-');
        if (parts.Length == 2
            && TimeOnly.TryParseExact(parts[0].Trim(), Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var from)
            && TimeOnly.TryParseExact(parts[1].Trim(), Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var to)
            && from != to)
        {
            return new DailyWindow(from, to);
        }

        throw new InvalidDataException($"'{Printable.Of(text)}' is no time of day: write two different times, such as 22:00-05:30");
    }

    /// <summary>The time until the window opens; zero while it is open.</summary>
    public TimeSpan UntilOpen(DateTimeOffset localTime)
    {
        var now = TimeOnly.FromTimeSpan(localTime.TimeOfDay);
        return now.IsBetween(From, To) ? TimeSpan.Zero : From - now;
    }

    public override string ToString() => $"{From.ToString(Format, CultureInfo.InvariantCulture)}-{To.ToString(Format, CultureInfo.InvariantCulture)}";
}
