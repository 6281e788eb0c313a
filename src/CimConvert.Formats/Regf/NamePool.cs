using System.Buffers;
using System.Text;

namespace CimConvert.Formats.Regf;

/// <summary>Decodes and interns stored names: a few names make up most of a hive.</summary>
internal sealed class NamePool
{
    private const int StackUnits = 256;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public NamePool() => _lookup = _names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Length of the stored name in UTF-16 units.</summary>
    public static int Units(ReadOnlySpan<byte> stored, bool compressed) => compressed ? stored.Length : stored.Length / sizeof(char);

    public string Get(ReadOnlySpan<byte> stored, bool compressed)
    {
        if (stored.IsEmpty)
        {
            return string.Empty;
        }

        var units = Units(stored, compressed);
        if (units <= StackUnits)
        {
            return Get(stored, compressed, stackalloc char[units]);
        }

        var rented = ArrayPool<char>.Shared.Rent(units);
        try
        {
            return Get(stored, compressed, rented.AsSpan(0, units));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(rented);
        }
    }

    private string Get(ReadOnlySpan<byte> stored, bool compressed, Span<char> name)
    {
        if (compressed)
        {
            Encoding.Latin1.GetChars(stored, name);
        }
        else
        {
            RegfText.Read(stored, name);
        }

        if (!_lookup.TryGetValue(name, out var known))
        {
            known = new string(name);
            _names.Add(known);
        }

        return known;
    }
}
