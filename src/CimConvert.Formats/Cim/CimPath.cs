using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// The path of an entry inside a CIM: relative to its root, components joined by <c>\</c>, no trailing separator.
/// Holds only what <see cref="Parse"/> let through, so no path can leave the image's root.
/// The root itself is the empty path.
/// </summary>
/// <remarks>Limits: shared CimFS headers, 255 UTF-16 units a component and 0x7fff a path.</remarks>
public readonly record struct CimPath : IComparable<CimPath>
{
    /// <summary>UTF-16 units of a path.</summary>
    public const int MaxLength = 0x7fff;
    /// <summary>UTF-16 units of one component.</summary>
    public const int MaxComponentLength = 255;
    /// <summary>Between components.</summary>
    public const char Separator = '\\';

    private readonly string? _value;

    private CimPath(string value) => _value = value;

    /// <summary>The root of a CIM: the empty path.</summary>
    public static CimPath Root => default;

    /// <summary>The path as it is stored.</summary>
    public string Value => _value ?? string.Empty;

    /// <summary>Whether it is the root.</summary>
    public bool IsRoot => Value.Length == 0;

    /// <summary>The last component; empty for the root.</summary>
    public string Name => Value[(Value.LastIndexOf(Separator) + 1)..];

    /// <summary>Components: 0 for the root.</summary>
    public int Depth => IsRoot ? 0 : Value.AsSpan().Count(Separator) + 1;

    /// <summary>The path above; the root's parent is the root.</summary>
    public CimPath Parent
    {
        get
        {
            var cut = Value.LastIndexOf(Separator);
            return cut < 0 ? Root : new CimPath(Value[..cut]);
        }
    }

    /// <summary>
    /// Reads a path with <c>/</c> or <c>\</c> between its components; one trailing separator and leading <c>./</c> are dropped.
    /// </summary>
    /// <exception cref="InvalidDataException">The path is absolute, climbs, has an empty component, a forbidden character or is too long.</exception>
    public static CimPath Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var value = text.Replace('/', Separator);
        var start = 0;
        while (value.AsSpan(start).StartsWith(@".\", StringComparison.Ordinal))
        {
            start += 2;
        }

        value = value[start..];
        if (value.EndsWith(Separator))
        {
            value = value[..^1];
        }

        if (value is "" or ".")
        {
            return text.Length > 0 && text[0] is '/' or '\\' ? throw Bad(text, "is absolute") : Root;
        }

        if (value.Length > MaxLength)
        {
            throw Bad(text, $"is longer than {MaxLength} UTF-16 units");
        }

        foreach (var range in value.AsSpan().Split(Separator))
        {
            if (ValidateName(value.AsSpan(range)) is { } why)
            {
                throw Bad(text, range.Start.Value == 0 && value[0] == Separator ? "is absolute" : why);
            }
        }

        return new CimPath(value);
    }

    /// <summary>The path of <paramref name="name"/> in this directory; the name is checked as a single component.</summary>
    public CimPath Append(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (ValidateName(name) is { } why)
        {
            throw Bad(name, why);
        }

        var value = IsRoot ? name : Value + Separator + name;
        return value.Length <= MaxLength ? new CimPath(value) : throw Bad(value, $"is longer than {MaxLength} UTF-16 units");
    }

    /// <summary>Says why <paramref name="name"/> cannot be one component of a path, or null where it can.</summary>
    internal static string? ValidateName(ReadOnlySpan<char> name) => name switch
    {
        "" => "has an empty component",
        "." or ".." => "has a component that is '.' or '..'",
        { Length: > MaxComponentLength } => $"has a component of more than {MaxComponentLength} UTF-16 units",
        _ when name.ContainsAny("\0:/\\") => "has a NUL, a ':' or a separator in a component",
        _ => null,
    };

    /// <summary>A CIM's name becomes a file's: of its standard set, wherever it is exported to.</summary>
    internal static void CheckCimName(string name) => HostFileName.Check(name, "CIM name");

    /// <summary>Whether both name the same entry: names of a CIM are told apart by its upcase table, not by the runtime's.</summary>
    public bool IsSameAs(CimPath other) => NameComparer.Instance.Equals(Value, other.Value);

    /// <summary>Orders paths by their UTF-16 units, case included.</summary>
    public int CompareTo(CimPath other) => string.CompareOrdinal(Value, other.Value);

    /// <returns>The path as it is stored.</returns>
    public override string ToString() => Value;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator <(CimPath left, CimPath right) => left.CompareTo(right) < 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator <=(CimPath left, CimPath right) => left.CompareTo(right) <= 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator >(CimPath left, CimPath right) => left.CompareTo(right) > 0;

    /// <summary>See <see cref="CompareTo"/>.</summary>
    public static bool operator >=(CimPath left, CimPath right) => left.CompareTo(right) >= 0;

    private static InvalidDataException Bad(string text, string why)
    {
        const int shown = 120;
        var head = text.Length <= shown ? text : string.Concat(text.AsSpan(0, shown), "...");
        return new InvalidDataException($"path '{head.Replace("\0", "\\0", StringComparison.Ordinal)}' {why}");
    }
}
