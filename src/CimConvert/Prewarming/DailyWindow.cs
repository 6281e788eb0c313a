using System.Globalization;
using CimConvert.Oci;

namespace CimConvert.Prewarming;

/// <summary>A time of day, in the machine's own time zone: from the first minute on, up to but not including the last. It may span midnight.</summary>
internal sealed record DailyWindow(TimeOnly From, TimeOnly To)
{
    private const string Form = "HH:mm";

    /// <exception cref="InvalidDataException">The text is not of the form <c>22:00-05:30</c>.</exception>
    public static DailyWindow Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('-');
        if (parts.Length == 2
            && TimeOnly.TryParseExact(parts[0].Trim(), Form, CultureInfo.InvariantCulture, DateTimeStyles.None, out var from)
            && TimeOnly.TryParseExact(parts[1].Trim(), Form, CultureInfo.InvariantCulture, DateTimeStyles.None, out var to)
            && from != to)
        {
            return new DailyWindow(from, to);
        }

        throw new InvalidDataException($"'{Printable.Of(text)}' is no time of day: write two different times, such as 22:00-05:30");
    }

    /// <summary>How long it is until the window opens; zero while it is open.</summary>
    public TimeSpan UntilOpen(DateTimeOffset localTime)
    {
        var now = TimeOnly.FromTimeSpan(localTime.TimeOfDay);
        return now.IsBetween(From, To) ? TimeSpan.Zero : From - now;
    }

    public override string ToString() => $"{From.ToString(Form, CultureInfo.InvariantCulture)}-{To.ToString(Form, CultureInfo.InvariantCulture)}";
}
