using System.Buffers;

namespace CimConvert.Formats.Binary;

/// <summary>
/// Validates untrusted names before files of these names are created on this machine: a name must denote a plain file in its
/// directory on every operating system. The rules are the same everywhere, so that a name works on all systems or on none.
/// </summary>
/// <remarks>Source: learn.microsoft.com, "Naming Files, Paths, and Namespaces". POSIX forbids only <c>/</c> and NUL.</remarks>
internal static class HostFileName
{
    /// <summary>UTF-16 units; the limit of NTFS.</summary>
    public const int MaxLength = 255;

    private const string PortNumbers = "0123456789\u00b9\u00b2\u00b3";

    private static readonly SearchValues<char> s_forbidden = SearchValues.Create([.. "<>:\"/\\|?*", .. Enumerable.Range(0, ' ').Select(i => (char)i)]);

    /// <summary>Windows treats these as devices in every directory, also with an extension.</summary>
    private static readonly string[] s_devices = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

    /// <summary>Devices that have a number; Windows accepts superscript digits, too.</summary>
    private static readonly string[] s_ports = ["COM", "LPT"];

    /// <summary>What makes a name unusable as a file name; null if it is usable.</summary>
    public static string? Validate(ReadOnlySpan<char> name) => name switch
    {
        "" => "is empty",
        "." or ".." => "is '.' or '..'",
        { Length: > MaxLength } => $"has more than {MaxLength} UTF-16 units",
        _ when name.ContainsAny(s_forbidden) => "has a control character or one of < > : \" / \\ | ? *",
        _ when !IsText(name) => "is not valid UTF-16",
        _ when name[^1] is ' ' or '.' => "ends in a space or a dot, which Windows drops",
        _ when IsDevice(name) => "is a device name on Windows",
        _ => null,
    };

    /// <param name="name">The file name.</param>
    /// <param name="what">What the name is for; starts the error message.</param>
    /// <exception cref="InvalidDataException">The name is unusable as a file name.</exception>
    public static void Check(string name, string what)
    {
        if (Validate(name) is { } problem)
        {
            const int shown = 120;
            throw new InvalidDataException($"{what} '{(name.Length <= shown ? name : string.Concat(name.AsSpan(0, shown), "..."))}' {problem}");
        }
    }

    /// <summary>Whether the name has no lone surrogates, which UTF-8, and so file names on Unix, cannot represent.</summary>
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
