using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Globalization;

namespace CimConvert.Formats.Windows;

/// <summary>Parses a SID of SDDL, <c>S-1-...</c> or a two-letter alias, into binary ([MS-DTYP] 2.4.2).</summary>
internal static class SddlSid
{
    private const int HeaderLength = 8;
    private const int MaxSubAuthorities = SelfRelativeDescriptor.MaxSubAuthorities;
    private const long MaxAuthority = (1L << 48) - 1;

    private static readonly SearchValues<char> s_digitsAndDashes = SearchValues.Create("-0123456789");

    /// <summary>
    /// [MS-DTYP] 2.5.1.1. Aliases of accounts of a domain or machine (DA, LA and the like) are left out: their SIDs differ between
    /// machines, so they mean nothing in a layer.
    /// </summary>
    private static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> s_aliases = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["AA"] = "S-1-5-32-579",
        ["AC"] = "S-1-15-2-1",
        ["AN"] = "S-1-5-7",
        ["AO"] = "S-1-5-32-548",
        ["AS"] = "S-1-18-1",
        ["AU"] = "S-1-5-11",
        ["BA"] = "S-1-5-32-544",
        ["BG"] = "S-1-5-32-546",
        ["BO"] = "S-1-5-32-551",
        ["BU"] = "S-1-5-32-545",
        ["CD"] = "S-1-5-32-574",
        ["CG"] = "S-1-3-1",
        ["CO"] = "S-1-3-0",
        ["CY"] = "S-1-5-32-569",
        ["ED"] = "S-1-5-9",
        ["ER"] = "S-1-5-32-573",
        ["ES"] = "S-1-5-32-576",
        ["HA"] = "S-1-5-32-578",
        ["HI"] = "S-1-16-12288",
        ["IS"] = "S-1-5-32-568",
        ["IU"] = "S-1-5-4",
        ["LS"] = "S-1-5-19",
        ["LU"] = "S-1-5-32-559",
        ["LW"] = "S-1-16-4096",
        ["ME"] = "S-1-16-8192",
        ["MP"] = "S-1-16-8448",
        ["MS"] = "S-1-5-32-577",
        ["MU"] = "S-1-5-32-558",
        ["NO"] = "S-1-5-32-556",
        ["NS"] = "S-1-5-20",
        ["NU"] = "S-1-5-2",
        ["OW"] = "S-1-3-4",
        ["PO"] = "S-1-5-32-550",
        ["PS"] = "S-1-5-10",
        ["PU"] = "S-1-5-32-547",
        ["RA"] = "S-1-5-32-575",
        ["RC"] = "S-1-5-12",
        ["RD"] = "S-1-5-32-555",
        ["RE"] = "S-1-5-32-552",
        ["RM"] = "S-1-5-32-580",
        ["RU"] = "S-1-5-32-554",
        ["SI"] = "S-1-16-16384",
        ["SO"] = "S-1-5-32-549",
        ["SS"] = "S-1-18-2",
        ["SU"] = "S-1-5-6",
        ["SY"] = "S-1-5-18",
        ["UD"] = "S-1-5-84-0-0-0-0-0",
        ["WD"] = "S-1-1-0",
        ["WR"] = "S-1-5-33",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Length of the SID or alias at the start of <paramref name="text"/>; 0 for none.</summary>
    public static int LengthAtStart(ReadOnlySpan<char> text)
    {
        const string prefix = "S-1-";
        if (!text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
        {
            return text.Length >= 2 ? 2 : 0;
        }

        // Only the authority may be hexadecimal; otherwise the 'D' of a following "D:" would be ambiguous.
        var isHex = text[prefix.Length..].StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var start = prefix.Length + (isHex ? Math.Max(0, text[prefix.Length..].IndexOf('-')) : 0);
        var after = text[start..].IndexOfAnyExcept(s_digitsAndDashes);
        return after < 0 ? text.Length : start + after;
    }

    /// <exception cref="InvalidDataException">The text is not a SID, or is an alias that is specific to a machine or domain.</exception>
    public static byte[] Parse(ReadOnlySpan<char> text) => s_aliases.TryGetValue(text, out var full) ? ParseFull(full) : ParseFull(text);

    private static byte[] ParseFull(ReadOnlySpan<char> text)
    {
        Span<uint> parts = stackalloc uint[MaxSubAuthorities];
        var count = 0;
        var index = 0;
        long authority = 0;
        foreach (var range in text.Split('-'))
        {
            var part = text[range];
            var good = index++ switch
            {
                0 => part is "S" or "s",
                1 => part is "1",
                2 => TryReadAuthority(part, out authority),
                _ => count < MaxSubAuthorities && uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out parts[count++]),
            };
            if (!good)
            {
                throw Bad(text);
            }
        }

        if (count == 0)
        {
            throw Bad(text);
        }

        var sid = new byte[HeaderLength + (count * sizeof(uint))];
        // The header is revision, count and a six-byte big-endian authority. The first two bytes overwrite the authority's zero high bytes.
        BinaryPrimitives.WriteInt64BigEndian(sid, authority);
        (sid[0], sid[1]) = (1, (byte)count);
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(sid.AsSpan(HeaderLength + (i * sizeof(uint))), parts[i]);
        }

        return sid;
    }

    private static bool TryReadAuthority(ReadOnlySpan<char> text, out long authority)
    {
        var read = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? long.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out authority)
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out authority);
        return read && authority is >= 0 and <= MaxAuthority;
    }

    private static InvalidDataException Bad(ReadOnlySpan<char> text) =>
        new($"a security descriptor whose '{text}' is not a SID that means the same on every machine");
}
