using System.Text;

namespace CimConvert.Formats.Regf;

/// <summary>Compares names as the registry does: by UTF-16 units, each upcased as by RtlUpcaseUnicodeChar.</summary>
internal static class RegistryName
{
    private const char MicroSign = '\u00B5';
    private const char LastAscii = '\u007F';
    private const char LastLatin1 = '\u00FF';
    private const uint HashFactor = 37;

    public static char Upcase(char c)
    {
        if (c <= LastAscii)
        {
            return c is >= 'a' and <= 'z' ? (char)(c - ('a' - 'A')) : c;
        }

        // Windows does not upcase the micro sign; Unicode maps it to the Greek capital mu.
        return c == MicroSign ? c : char.ToUpperInvariant(c);
    }

    public static int Compare(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var common = Math.Min(left.Length, right.Length);
        for (var i = 0; i < common; i++)
        {
            if (left[i] != right[i])
            {
                var difference = Upcase(left[i]) - Upcase(right[i]);
                if (difference != 0)
                {
                    return difference;
                }
            }
        }

        return left.Length - right.Length;
    }

    /// <summary>The hash of a name in an lh list.</summary>
    public static uint Hash(string name)
    {
        var hash = 0u;
        foreach (var c in name)
        {
            hash = unchecked((HashFactor * hash) + Upcase(c));
        }

        return hash;
    }

    /// <summary>Whether a name can be stored in Latin-1 ("compressed"), as Windows stores every name that it can.</summary>
    public static bool IsCompressible(string name) => !name.AsSpan().ContainsAnyExceptInRange('\0', LastLatin1);

    /// <summary>Bytes of the name as stored.</summary>
    public static int StoredLength(string name) => IsCompressible(name) ? name.Length : name.Length * sizeof(char);

    /// <summary>Writes the name as stored; <paramref name="target"/> must have exactly <see cref="StoredLength"/> bytes.</summary>
    public static void Store(string name, Span<byte> target)
    {
        if (target.Length == name.Length)
        {
            Encoding.Latin1.GetBytes(name, target);
        }
        else
        {
            RegfText.Write(name, target);
        }
    }
}
