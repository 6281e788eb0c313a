using System.Globalization;
using System.Runtime.InteropServices;

namespace CimConvert.Oci;

/// <summary>
/// A dotted version of one to four numbers, such as Windows' major.minor.build.revision. Compared number by number, because as
/// text 10.0.9200 sorts after 10.0.20348. A shorter version sorts before a longer one that starts with it.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct OsVersion
{
    private const int MaxComponents = 4;
    private const int BuildComponents = 3;

    private readonly uint _major;
    private readonly uint _minor;
    private readonly uint _build;
    private readonly uint _revision;
    private readonly int _count;

    private OsVersion(ReadOnlySpan<uint> components)
    {
        _count = components.Length;
        _major = components[0];
        _minor = _count > 1 ? components[1] : 0;
        _build = _count > 2 ? components[2] : 0;
        _revision = _count > 3 ? components[3] : 0;
    }

    /// <summary>Null if the version has fewer than three numbers.</summary>
    public uint? Build => _count >= BuildComponents ? _build : null;

    /// <summary>Equal for versions of the same build, whatever their revision.</summary>
    public (uint Major, uint Minor, uint Build, int Count) BuildKey => (_major, _minor, _build, Math.Min(_count, BuildComponents));

    /// <summary>The sort order of versions.</summary>
    public (uint Major, uint Minor, uint Build, uint Revision, int Count) SortKey => (_major, _minor, _build, _revision, _count);

    public static bool TryParse(string text, out OsVersion version)
    {
        version = default;
        Span<uint> components = stackalloc uint[MaxComponents];
        var count = 0;
        foreach (var range in text.AsSpan().Split('.'))
        {
            if (count == MaxComponents
                || !uint.TryParse(text.AsSpan(range), NumberStyles.None, CultureInfo.InvariantCulture, out components[count++]))
            {
                return false;
            }
        }

        version = new OsVersion(components[..count]);
        return true;
    }

    /// <summary>Whether both have the same build, as far as <paramref name="requested"/> specifies major, minor and build.</summary>
    public bool IsOfBuild(OsVersion requested)
    {
        var compared = Math.Min(requested._count, BuildComponents);
        return _count >= compared
            && _major == requested._major
            && (compared < 2 || _minor == requested._minor)
            && (compared < 3 || _build == requested._build);
    }

    public bool HasMajorMinorOf(OsVersion other) => _major == other._major && _minor == other._minor;
}
