using System.Buffers.Binary;
using System.Globalization;

namespace CimConvert.Formats.Windows;

/// <summary>
/// Parses an access control entry, <c>type;flags;rights;object type;inherited object type;SID</c>, into binary
/// ([MS-DTYP] 2.5.1.1 and 2.4.4).
/// </summary>
internal static class SddlAce
{
    private const int FieldCount = 6;
    private const int HeaderLength = 8;
    private const int GuidLength = 16;
    private const uint ObjectTypePresent = 1;
    private const uint InheritedObjectTypePresent = 2;

    private static readonly Dictionary<string, byte> s_types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["A"] = 0x00,
        ["D"] = 0x01,
        ["AU"] = 0x02,
        ["AL"] = 0x03,
        ["OA"] = 0x05,
        ["OD"] = 0x06,
        ["OU"] = 0x07,
        ["OL"] = 0x08,
        ["ML"] = 0x11,
        ["SP"] = 0x13,
    };

    private static readonly Dictionary<string, uint> s_flags = new(StringComparer.OrdinalIgnoreCase)
    {
        ["OI"] = 0x01,
        ["CI"] = 0x02,
        ["NP"] = 0x04,
        ["IO"] = 0x08,
        ["ID"] = 0x10,
        ["SA"] = 0x40,
        ["FA"] = 0x80,
    };

    private static readonly Dictionary<string, uint> s_rights = new(StringComparer.OrdinalIgnoreCase)
    {
        ["GA"] = 0x10000000,
        ["GX"] = 0x20000000,
        ["GW"] = 0x40000000,
        ["GR"] = 0x80000000,
        ["SD"] = 0x00010000,
        ["RC"] = 0x00020000,
        ["WD"] = 0x00040000,
        ["WO"] = 0x00080000,
        ["CC"] = 0x00000001,
        ["DC"] = 0x00000002,
        ["LC"] = 0x00000004,
        ["SW"] = 0x00000008,
        ["RP"] = 0x00000010,
        ["WP"] = 0x00000020,
        ["DT"] = 0x00000040,
        ["LO"] = 0x00000080,
        ["CR"] = 0x00000100,
        ["FA"] = 0x001f01ff,
        ["FR"] = 0x00120089,
        ["FW"] = 0x00120116,
        ["FX"] = 0x001200a0,
        ["KA"] = 0x000f003f,
        ["KR"] = 0x00020019,
        ["KW"] = 0x00020006,
        ["KX"] = 0x00020019,
        ["NW"] = 0x00000001,
        ["NR"] = 0x00000002,
        ["NX"] = 0x00000004,
    };

    /// <summary>Parses the text between an entry's parentheses.</summary>
    /// <exception cref="InvalidDataException">The entry is malformed, or has a condition or claim.</exception>
    public static byte[] Parse(ReadOnlySpan<char> text, out bool isObjectAce)
    {
        Span<Range> fields = stackalloc Range[FieldCount + 1];
        if (text.Split(fields, ';') != FieldCount)
        {
            throw Bad(text, $"does not have {FieldCount} fields");
        }

        if (!s_types.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text[fields[0]].Trim(), out var type))
        {
            throw Bad(text, "is of an unsupported type");
        }

        if (!TryReadMnemonics(text[fields[1]], s_flags, out var flags) || !TryReadRights(text[fields[2]], out var rights))
        {
            throw Bad(text, "has unknown flags or rights");
        }

        isObjectAce = type is >= 0x05 and <= 0x08;
        if (!TryReadGuid(text[fields[3]], out var objectType) || !TryReadGuid(text[fields[4]], out var inherited)
            || (!isObjectAce && (objectType ?? inherited) is not null))
        {
            throw Bad(text, "has an object type that is not a GUID, or that its ACE type does not allow");
        }

        return Write(type, (byte)flags, rights, isObjectAce, objectType, inherited, SddlSid.Parse(text[fields[5]].Trim()));
    }

    private static byte[] Write(byte type, byte flags, uint rights, bool isObjectAce, Guid? objectType, Guid? inherited, byte[] sid)
    {
        var guids = (objectType is null ? 0 : GuidLength) + (inherited is null ? 0 : GuidLength);
        var ace = new byte[HeaderLength + (isObjectAce ? sizeof(uint) + guids : 0) + sid.Length];
        (ace[0], ace[1]) = (type, flags);
        BinaryPrimitives.WriteUInt16LittleEndian(ace.AsSpan(2), (ushort)ace.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(ace.AsSpan(4), rights);
        if (isObjectAce)
        {
            var present = (objectType is null ? 0 : ObjectTypePresent) | (inherited is null ? 0 : InheritedObjectTypePresent);
            BinaryPrimitives.WriteUInt32LittleEndian(ace.AsSpan(HeaderLength), present);
            objectType?.TryWriteBytes(ace.AsSpan(HeaderLength + sizeof(uint)));
            inherited?.TryWriteBytes(ace.AsSpan(HeaderLength + sizeof(uint) + guids - GuidLength));
        }

        sid.CopyTo(ace, ace.Length - sid.Length);
        return ace;
    }

    private static bool TryReadRights(ReadOnlySpan<char> text, out uint rights) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? uint.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out rights)
        : TryReadMnemonics(text, s_rights, out rights);

    private static bool TryReadMnemonics(ReadOnlySpan<char> text, Dictionary<string, uint> known, out uint bits)
    {
        const int length = 2;
        bits = 0;
        for (; text.Length >= length; text = text[length..])
        {
            if (!known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text[..length], out var bit))
            {
                return false;
            }

            bits |= bit;
        }

        return text.IsEmpty;
    }

    private static bool TryReadGuid(ReadOnlySpan<char> text, out Guid? guid)
    {
        guid = null;
        if (text.IsEmpty)
        {
            return true;
        }

        var read = Guid.TryParseExact(text, "D", out var value);
        guid = value;
        return read;
    }

    private static InvalidDataException Bad(ReadOnlySpan<char> text, string problem) =>
        new($"a security descriptor whose entry '({text})' {problem}");
}
