using System.Runtime.InteropServices;

namespace CimConvert.Formats.Cim;

/// <summary>Compares names as CimFS does: UTF-16 unit by unit, each mapped by the upcase table.</summary>
internal sealed class NameComparer : IComparer<string>, IEqualityComparer<string>, IAlternateEqualityComparer<ReadOnlySpan<char>, string>
{
    private const int UnitsAtOnce = 128;

    private NameComparer()
    {
    }

    public static NameComparer Instance { get; } = new();

    public int Compare(string? x, string? y) => UpcaseTable.Windows.Compare(x, y);

    public bool Equals(string? x, string? y) => x?.Length == y?.Length && Compare(x, y) == 0;

    public int GetHashCode(string obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<char> alternate, string other) =>
        alternate.Length == other.Length && UpcaseTable.Windows.Compare(alternate, other) == 0;

    public int GetHashCode(ReadOnlySpan<char> alternate)
    {
        var table = UpcaseTable.Windows;
        var hash = new HashCode();
        Span<char> upper = stackalloc char[UnitsAtOnce];
        for (; !alternate.IsEmpty; alternate = alternate[Math.Min(alternate.Length, UnitsAtOnce)..])
        {
            var count = Math.Min(alternate.Length, UnitsAtOnce);
            for (var i = 0; i < count; i++)
            {
                upper[i] = table.Upper(alternate[i]);
            }

            hash.AddBytes(MemoryMarshal.AsBytes(upper[..count]));
        }

        return hash.ToHashCode();
    }

    public string Create(ReadOnlySpan<char> alternate) => alternate.ToString();
}
