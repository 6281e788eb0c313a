using System.Buffers.Binary;
using System.Globalization;

namespace CimConvert.TestKit.Oracles;

/// <summary>
/// SDDL text to a self-relative descriptor: the part of the language that file descriptors use. Parts lie in the order
/// Windows' own conversion leaves them in: SACL, DACL, owner, group.
/// </summary>
internal static class OracleSddl
{
    private const int HeaderLength = 20;
    private const ushort SelfRelative = 0x8000;
    private const ushort DaclPresent = 0x0004;
    private const ushort SaclPresent = 0x0010;
    private const byte AclRevision = 2;

    private static readonly Dictionary<string, uint> AceTypes = Numbers("A=0 D=1 AU=2 AL=3 ML=11");

    private static readonly Dictionary<string, uint> AceFlags = Numbers("OI=1 CI=2 NP=4 IO=8 ID=10 SA=40 FA=80");

    private static readonly Dictionary<string, uint> Rights = Numbers(
        "GA=10000000 GX=20000000 GW=40000000 GR=80000000 SD=10000 RC=20000 WD=40000 WO=80000 "
        + "CC=1 DC=2 LC=4 SW=8 RP=10 WP=20 DT=40 LO=80 CR=100 "
        + "FA=1F01FF FR=120089 FW=120116 FX=1200A0 KA=F003F KR=20019 KW=20006 KX=20019 NW=1 NR=2 NX=4");

    private static readonly Dictionary<string, string> Sids = Words(
        "WD=S-1-1-0 CO=S-1-3-0 CG=S-1-3-1 OW=S-1-3-4 NU=S-1-5-2 IU=S-1-5-4 SU=S-1-5-6 AN=S-1-5-7 PS=S-1-5-10 AU=S-1-5-11 "
        + "RC=S-1-5-12 SY=S-1-5-18 LS=S-1-5-19 NS=S-1-5-20 BA=S-1-5-32-544 BU=S-1-5-32-545 BG=S-1-5-32-546 PU=S-1-5-32-547 "
        + "SO=S-1-5-32-549 PO=S-1-5-32-550 BO=S-1-5-32-551 RU=S-1-5-32-554 AC=S-1-15-2-1 "
        + "LW=S-1-16-4096 ME=S-1-16-8192 HI=S-1-16-12288 SI=S-1-16-16384");

    public static byte[] Encode(string sddl)
    {
        byte[] owner = [];
        byte[] group = [];
        byte[] dacl = [];
        byte[] sacl = [];
        ushort control = SelfRelative;
        foreach ((char tag, string value) in Sections(sddl))
        {
            switch (tag)
            {
                case 'O':
                    owner = Sid(value);
                    break;
                case 'G':
                    group = Sid(value);
                    break;
                case 'D':
                    control |= DaclPresent;
                    dacl = Acl(value, ref control, shift: 0);
                    break;
                default:
                    control |= SaclPresent;
                    sacl = Acl(value, ref control, shift: 1);
                    break;
            }
        }

        byte[] header = new byte[HeaderLength];
        header[0] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(2), control);
        int offset = HeaderLength;
        void Place(int field, byte[] part)
        {
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(field), part.Length == 0 ? 0 : offset);
            offset += part.Length;
        }

        Place(12, sacl);
        Place(16, dacl);
        Place(4, owner);
        Place(8, group);
        return [.. header, .. sacl, .. dacl, .. owner, .. group];
    }

    private static Dictionary<string, string> Words(string text) =>
        text.Split(' ').Select(word => word.Split('=')).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    private static Dictionary<string, uint> Numbers(string text) => Words(text).ToDictionary(
        pair => pair.Key,
        pair => uint.Parse(pair.Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
        StringComparer.Ordinal);

    private static IEnumerable<(char Tag, string Value)> Sections(string sddl)
    {
        // A section starts where a colon follows one of its letters; no SID or ACE has a colon.
        List<int> colons = [.. Enumerable.Range(0, sddl.Length).Where(i => sddl[i] == ':')];
        for (int i = 0; i < colons.Count; i++)
        {
            int end = i + 1 < colons.Count ? colons[i + 1] - 1 : sddl.Length;
            char tag = colons[i] > 0 ? sddl[colons[i] - 1] : '?';
            if (tag is not ('O' or 'G' or 'D' or 'S'))
            {
                throw new OracleException($"SDDL section '{tag}' in {sddl}");
            }

            yield return (tag, sddl[(colons[i] + 1)..end]);
        }
    }

    private static byte[] Acl(string text, ref ushort control, int shift)
    {
        int open = text.IndexOf('(', StringComparison.Ordinal);
        control |= AclControl(open < 0 ? text : text[..open], shift);
        List<byte> aces = [];
        int count = 0;
        string[] items = open < 0 ? [] : text[open..].Split(['(', ')'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (string item in items)
        {
            aces.AddRange(Ace(item));
            count++;
        }

        byte[] head = new byte[8];
        head[0] = AclRevision;
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(2), checked((ushort)(head.Length + aces.Count)));
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(4), checked((ushort)count));
        return [.. head, .. aces];
    }

    // The SACL's bits are the DACL's, one to the left.
    private static ushort AclControl(string flags, int shift)
    {
        int control = 0;
        for (string rest = flags; rest.Length > 0;)
        {
            (int bit, int length) = rest switch
            {
                _ when rest.StartsWith("AR", StringComparison.Ordinal) => (0x0100, 2),
                _ when rest.StartsWith("AI", StringComparison.Ordinal) => (0x0400, 2),
                _ when rest[0] == 'P' => (0x1000, 1),
                _ => throw new OracleException("SDDL ACL flags " + flags),
            };
            control |= bit;
            rest = rest[length..];
        }

        return (ushort)(control << shift);
    }

    private static byte[] Ace(string text)
    {
        string[] parts = text.Split(';');
        if (parts.Length != 6 || parts[3].Length > 0 || parts[4].Length > 0 || !AceTypes.TryGetValue(parts[0], out uint type))
        {
            throw new OracleException("SDDL ACE " + text);
        }

        byte[] sid = Sid(parts[5]);
        byte[] ace = new byte[8 + sid.Length];
        ace[0] = (byte)type;
        ace[1] = (byte)Pairs(parts[1], AceFlags);
        BinaryPrimitives.WriteUInt16LittleEndian(ace.AsSpan(2), (ushort)ace.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(ace.AsSpan(4), Mask(parts[2]));
        sid.CopyTo(ace, 8);
        return ace;
    }

    private static uint Mask(string text)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return uint.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        }

        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : Pairs(text, Rights);
    }

    private static uint Pairs(string text, Dictionary<string, uint> meaning)
    {
        uint all = 0;
        for (int i = 0; i < text.Length; i += 2)
        {
            string pair = text[i..Math.Min(text.Length, i + 2)];
            all |= meaning.TryGetValue(pair, out uint bits) ? bits : throw new OracleException($"SDDL '{pair}' in {text}");
        }

        return all;
    }

    private static byte[] Sid(string text)
    {
        string full = Sids.GetValueOrDefault(text.Trim(), text.Trim());
        string[] parts = full.Split('-');
        if (parts.Length < 3 || parts[0] != "S" || parts[1] != "1")
        {
            throw new OracleException("SDDL SID " + text);
        }

        byte[] sid = new byte[8 + (4 * (parts.Length - 3))];
        sid[0] = 1;
        sid[1] = (byte)(parts.Length - 3);
        Span<byte> authority = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(authority, ulong.Parse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture));
        authority[2..].CopyTo(sid.AsSpan(2));
        for (int i = 3; i < parts.Length; i++)
        {
            uint subAuthority = uint.Parse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture);
            BinaryPrimitives.WriteUInt32LittleEndian(sid.AsSpan(8 + (4 * (i - 3))), subAuthority);
        }

        return sid;
    }
}
