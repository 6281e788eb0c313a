using System.Buffers;

namespace CimConvert.Formats.Binary;

/// <summary>
/// Which names from a file or a user may become names of files on the machine that runs this: those that every system takes for
/// one plain file in the directory they are put in. Held to on every system, so that a name works on all or on none.
/// </summary>
/// <remarks>Source: "Naming Files, Paths, and Namespaces", learn.microsoft.com; what a name may not have there, POSIX allows but for <c>/</c> and NUL.</remarks>
internal static class HostFileName
{
    /// <summary>UTF-16 units: NTFS' limit.</summary>
    public const int MaxLength = 255;

    private const string PortNumbers = "0123456789\u00b9\u00b2\u00b3";

    private static readonly SearchValues<char> s_forbidden = SearchValues.Create([.. "<>:\"/\\|?*", .. Enumerable.Range(0, ' ').Select(i => (char)i)]);

    /// <summary>Names of devices in every directory of Windows, whatever follows them behind a dot.</summary>
    private static readonly string[] s_devices = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

    /// <summary>The same, numbered; Windows takes superscript digits for digits.</summary>
    private static readonly string[] s_ports = ["COM", "LPT"];

    /// <summary>Says why a name cannot be a file's, or null where it can.</summary>
    public static string? Validate(ReadOnlySpan<char> name) => name switch
    {
        "" => "is empty",
        "." or ".." => "is a directory's own or its parent's",
        { Length: > MaxLength } => $"has more than {MaxLength} UTF-16 units",
        _ when name.ContainsAny(s_forbidden) => "has a control character or one of < > : \" / \\ | ? *",
        _ when !IsText(name) => "is no valid UTF-16",
        _ when name[^1] is ' ' or '.' => "ends in a space or a dot, which Windows drops",
        _ when IsDevice(name) => "is a device's on Windows",
        _ => null,
    };

    /// <param name="name">What a file is to be called.</param>
    /// <param name="what">Whose name it is, to start the message with.</param>
    /// <exception cref="InvalidDataException">It cannot be.</exception>
    public static void Check(string name, string what)
    {
        if (Validate(name) is { } why)
        {
            const int shown = 120;
            throw new InvalidDataException($"{what} '{(name.Length <= shown ? name : string.Concat(name.AsSpan(0, shown), "..."))}' {why}");
        }
    }

    /// <summary>Whether UTF-8, and with it every system, can hold the name: half a surrogate pair has no place in it.</summary>
    public static bool IsText(ReadOnlySpan<char> name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsHighSurrogate(name[i]) && i + 1 < name.Length && char.IsLowSurrogate(name[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(name[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsDevice(ReadOnlySpan<char> name)
    {
        var dot = name.IndexOf('.');
        var stem = (dot < 0 ? name : name[..dot]).TrimEnd(' ');
        foreach (var device in s_devices)
        {
            if (stem.Equals(device, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        foreach (var port in s_ports)
        {
            if (stem.Length == port.Length + 1 && stem.StartsWith(port, StringComparison.OrdinalIgnoreCase) && PortNumbers.Contains(stem[^1], StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
