using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace CimConvert.TestKit.Oracles;

/// <summary>What the PAX records of an entry mean to Windows.</summary>
internal static class OracleMetadata
{
    private const string XattrPrefix = "MSWINDOWS.xattr.";
    private const long TicksPerSecond = 10_000_000;
    private const long UnixEpochAsFileTime = 116_444_736_000_000_000;

    /// <summary>The metadata of an entry; content and alternate streams are the caller's.</summary>
    public static OracleFile Read(OracleTarEntry entry, OracleKind kind, long size, string? sha256)
    {
        IReadOnlyDictionary<string, string> pax = entry.Pax;
        uint attributes = pax.TryGetValue("MSWINDOWS.fileattr", out string? text)
            ? uint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)
            : 0;
        return new OracleFile
        {
            Kind = kind,
            Attributes = OracleAttributes.Of(attributes, kind),
            LastWriteTime = Time(pax, "mtime"),
            CreationTime = Time(pax, "LIBARCHIVE.creationtime"),
            ChangeTime = Time(pax, "ctime"),
            LastAccessTime = Time(pax, "atime"),
            SecurityDescriptor = Descriptor(pax),
            ExtendedAttributes = FullEaInformation(pax),
            Reparse = kind is OracleKind.Symlink or OracleKind.MountPoint ? OracleReparse.Encode(entry.LinkName, kind) : [],
            Size = size,
            Sha256 = sha256,
        };
    }

    /// <summary><c>seconds[.fraction]</c> in 100 ns units since 1601; what is finer is cut off.</summary>
    public static long FileTime(string text)
    {
        bool negative = text.StartsWith('-');
        string[] parts = (negative ? text[1..] : text).Split('.');
        string fraction = (parts.Length > 1 ? parts[1] : "").PadRight(7, '0')[..7];
        long ticks = (long.Parse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture) * TicksPerSecond)
            + long.Parse(fraction, NumberStyles.None, CultureInfo.InvariantCulture);
        return UnixEpochAsFileTime + (negative ? -ticks : ticks);
    }

    private static long Time(IReadOnlyDictionary<string, string> pax, string key) =>
        FileTime(pax.GetValueOrDefault(key) ?? pax["mtime"]);

    private static byte[] Descriptor(IReadOnlyDictionary<string, string> pax)
    {
        if (pax.TryGetValue("MSWINDOWS.rawsd", out string? raw))
        {
            return Convert.FromBase64String(raw);
        }

        return pax.TryGetValue("MSWINDOWS.sd", out string? sddl)
            ? OracleSddl.Encode(sddl)
            : OracleFile.ImplicitDirectory().SecurityDescriptor;
    }

    private static byte[] FullEaInformation(IReadOnlyDictionary<string, string> pax)
    {
        List<byte> all = [];
        int last = 0;
        foreach (string key in pax.Keys.Where(key => key.StartsWith(XattrPrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            byte[] name = Encoding.UTF8.GetBytes(key[XattrPrefix.Length..]);
            byte[] value = Convert.FromBase64String(pax[key]);
            byte[] entry = new byte[(8 + name.Length + 1 + value.Length + 3) / 4 * 4];
            BinaryPrimitives.WriteInt32LittleEndian(entry, entry.Length);
            entry[5] = checked((byte)name.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(6), checked((ushort)value.Length));
            name.CopyTo(entry, 8);
            value.CopyTo(entry, 8 + name.Length + 1);
            last = all.Count;
            all.AddRange(entry);
        }

        byte[] bytes = [.. all];
        if (bytes.Length > 0)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(last), 0);
        }

        return bytes;
    }
}
