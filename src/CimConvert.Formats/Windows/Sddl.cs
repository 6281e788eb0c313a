using System.Buffers.Binary;
using System.Text;

namespace CimConvert.Formats.Windows;

/// <summary>
/// Parses SDDL ([MS-DTYP] 2.5.1), which old layers have in their <c>MSWINDOWS.sd</c> records, into binary security descriptors.
/// Conditional ACEs and claims are refused; no file of a layer needs them.
/// </summary>
internal static class Sddl
{
    private const byte AclRevision = 2;
    private const byte AclRevisionWithObjects = 4;
    private const string NullAcl = "NO_ACCESS_CONTROL";

    private static readonly (string Text, ushort Dacl, ushort Sacl)[] s_aclFlags =
    [
        ("P", 0x1000, 0x2000),
        ("AR", 0x0100, 0x0200),
        ("AI", 0x0400, 0x0800),
    ];

    /// <exception cref="InvalidDataException">The text is not valid SDDL, or has an alias that is specific to a machine or domain.</exception>
    public static byte[] Parse(ReadOnlySpan<byte> utf8)
    {
        ReadOnlySpan<char> rest = Encoding.UTF8.GetString(utf8).Trim();
        ushort control = 0;
        byte[]? owner = null;
        byte[]? group = null;
        byte[]? dacl = null;
        byte[]? sacl = null;
        var seen = string.Empty;
        while (!rest.IsEmpty)
        {
            var tag = rest.Length >= 2 && rest[1] == ':' ? char.ToUpperInvariant(rest[0]) : '\0';
            if (tag is not ('O' or 'G' or 'D' or 'S') || seen.Contains(tag, StringComparison.Ordinal))
            {
                throw new InvalidDataException($"a security descriptor with a syntax error at '{Shortened(rest)}'");
            }

            seen += tag;
            rest = rest[2..];
            switch (tag)
            {
                case 'O':
                    owner = TakeSid(ref rest);
                    break;
                case 'G':
                    group = TakeSid(ref rest);
                    break;
                case 'D':
                    dacl = TakeAcl(ref rest, isDacl: true, ref control);
                    break;
                default:
                    sacl = TakeAcl(ref rest, isDacl: false, ref control);
                    break;
            }
        }

        return SelfRelativeDescriptor.Write(control, owner, group, sacl, dacl);
    }

    private static byte[] TakeSid(ref ReadOnlySpan<char> rest)
    {
        var length = SddlSid.LengthAtStart(rest);
        var sid = SddlSid.Parse(rest[..length]);
        rest = rest[length..];
        return sid;
    }

    private static byte[]? TakeAcl(ref ReadOnlySpan<char> rest, bool isDacl, ref ushort control)
    {
        control |= isDacl ? SelfRelativeDescriptor.DaclPresent : SelfRelativeDescriptor.SaclPresent;
        var isNull = false;
        for (var found = true; found;)
        {
            found = false;
            foreach (var (text, daclFlag, saclFlag) in s_aclFlags)
            {
                if (TakeText(ref rest, text))
                {
                    control |= isDacl ? daclFlag : saclFlag;
                    found = true;
                }
            }

            if (TakeText(ref rest, NullAcl))
            {
                isNull = found = true;
            }
        }

        var aces = new List<byte[]>();
        var revision = AclRevision;
        while (rest.StartsWith("("))
        {
            var close = rest.IndexOf(')');
            if (close < 0)
            {
                throw new InvalidDataException($"a security descriptor with an unclosed '(' at '{Shortened(rest)}'");
            }

            aces.Add(SddlAce.Parse(rest[1..close], out var isObjectAce));
            revision = isObjectAce ? AclRevisionWithObjects : revision;
            rest = rest[(close + 1)..].TrimStart();
        }

        return !isNull ? WriteAcl(revision, aces)
            : aces.Count == 0 ? null
            : throw new InvalidDataException($"a security descriptor with both entries and {NullAcl}");
    }

    private static bool TakeText(ref ReadOnlySpan<char> rest, string text)
    {
        if (!rest.StartsWith(text, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        rest = rest[text.Length..];
        return true;
    }

    private static byte[] WriteAcl(byte revision, List<byte[]> aces)
    {
        var size = SelfRelativeDescriptor.AclHeaderLength + aces.Sum(ace => ace.Length);
        if (size > ushort.MaxValue)
        {
            throw new InvalidDataException($"a security descriptor with an access control list of {size} bytes, more than {ushort.MaxValue}");
        }

        var acl = new byte[size];
        acl[0] = revision;
        BinaryPrimitives.WriteUInt16LittleEndian(acl.AsSpan(2), (ushort)size);
        BinaryPrimitives.WriteUInt16LittleEndian(acl.AsSpan(4), (ushort)aces.Count);
        var end = SelfRelativeDescriptor.AclHeaderLength;
        foreach (var ace in aces)
        {
            ace.CopyTo(acl, end);
            end += ace.Length;
        }

        return acl;
    }

    private static ReadOnlySpan<char> Shortened(ReadOnlySpan<char> text) => text[..Math.Min(text.Length, 40)];
}
