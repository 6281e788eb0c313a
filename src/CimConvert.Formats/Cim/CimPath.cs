using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// The path of an entry inside a CIM: relative to its root, components joined by <c>\</c>, no trailing separator; the root is
/// the empty path. Only <see cref="Parse"/> and <see cref="Append"/> make one, so no path can leave the CIM's root.
/// </summary>
/// <remarks>Limits: 255 UTF-16 units a component and 0x7fff a path (hcsshim, internal/cimfs/format/format.go).</remarks>
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

    /// <summary>Number of components; 0 for the root.</summary>
    public int Depth => IsRoot ? 0 : Value.AsSpan().Count(Separator) + 1;

    /// <summary>The parent directory's path; the root's parent is the root.</summary>
    public CimPath Parent
    {
        get
        {
            var cut = Value.LastIndexOf(Separator);
            return cut < 0 ? Root : new CimPath(Value[..cut]);
        }
    }

    /// <summary>
    /// Parses a path with <c>/</c> or <c>\</c> between its components; leading <c>./</c> and one trailing separator are dropped.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The path is absolute or too long, or has a <c>..</c>, an empty component or a forbidden character.
    /// </exception>
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
            if (ValidateName(value.AsSpan(range)) is { } problem)
            {
                throw Bad(text, range.Start.Value == 0 && value[0] == Separator ? "is absolute" : problem);
            }
        }

        return new CimPath(value);
    }

    /// <summary>The path of the entry <paramref name="name"/> in this directory; the name must be a valid component.</summary>
    public CimPath Append(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (ValidateName(name) is { } problem)
        {
            throw Bad(name, problem);
        }

        var value = IsRoot ? name : Value + Separator + name;
        return value.Length <= MaxLength ? new CimPath(value) : throw Bad(value, $"is longer than {MaxLength} UTF-16 units");
    }

    /// <summary>What makes <paramref name="name"/> invalid as a path component; null if it is valid.</summary>
    internal static string? ValidateName(ReadOnlySpan<char> name) => name switch
    {
        "" => "has an empty component",
        "." or ".." => "has a component that is '.' or '..'",
        { Length: > MaxComponentLength } => $"has a component of more than {MaxComponentLength} UTF-16 units",
        _ when name.ContainsAny("\0:/\\") => "has a NUL, a ':' or a separator in a component",
        _ => null,
    };

    /// <summary>Checks a CIM's name as a file name, because its filesystem file has that name where the CIM is exported to.</summary>
    internal static void CheckCimName(string name) => HostFileName.Check(name, "CIM name");

    /// <summary>Whether both are paths of the same entry: CIM names compare by the upcase table, not by the runtime's casing.</summary>
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

    private static InvalidDataException Bad(string text, string problem)
    {
        const int shown = 120;
        var head = text.Length <= shown ? text : string.Concat(text.AsSpan(0, shown), "...");
        return new InvalidDataException($"path '{head.Replace("\0", "\\0", StringComparison.Ordinal)}' {problem}");
    }
}
