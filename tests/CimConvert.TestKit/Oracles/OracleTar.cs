using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace CimConvert.TestKit.Oracles;

/// <summary>One entry of a tar, PAX records of all its headers put together.</summary>
internal sealed record OracleTarEntry(string Name, char Type, string LinkName, long Size, IReadOnlyDictionary<string, string> Pax);

/// <summary>
/// Reads a tar forward. Knows no Windows; believes the archive, because tests that damage archives ask the product
/// what it does, not the oracle.
/// </summary>
internal sealed class OracleTar(Stream input)
{
    private const int BlockLength = 512;

    private readonly Dictionary<string, string> global = new(StringComparer.Ordinal);
    private readonly byte[] header = new byte[BlockLength];
    private long contentLeft;
    private int padding;

    /// <summary>The next entry, or null at the end. What was not read of the last one is skipped.</summary>
    public OracleTarEntry? Next()
    {
        Dictionary<string, string> pax = new(global, StringComparer.Ordinal);
        string? gnuName = null;
        string? gnuLink = null;
        while (ReadHeader())
        {
            char type = header[156] == 0 ? '0' : (char)header[156];
            switch (type)
            {
                case 'x':
                    ReadPax(pax);
                    continue;
                case 'g':
                    ReadPax(global);
                    ReadInto(pax, global);
                    continue;
                case 'L':
                    gnuName = Text(ReadAll());
                    continue;
                case 'K':
                    gnuLink = Text(ReadAll());
                    continue;
                default:
                    return Entry(type, pax, gnuName, gnuLink);
            }
        }

        return null;
    }

    /// <summary>Reads on in the content of the last entry; 0 at its end.</summary>
    public int Read(Span<byte> buffer)
    {
        int wanted = (int)Math.Min(buffer.Length, contentLeft);
        input.ReadExactly(buffer[..wanted]);
        contentLeft -= wanted;
        return wanted;
    }

    private static void ReadInto(Dictionary<string, string> target, Dictionary<string, string> source)
    {
        foreach ((string key, string value) in source)
        {
            target[key] = value;
        }
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    private static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            return BinaryPrimitives.ReadInt64BigEndian(field[^8..]);
        }

        string digits = Text(field).Trim(' ');
        return digits.Length == 0 ? 0 : Convert.ToInt64(digits, 8);
    }

    private OracleTarEntry Entry(char type, Dictionary<string, string> pax, string? gnuName, string? gnuLink)
    {
        string prefix = Text(header.AsSpan(345, 155));
        bool posix = header.AsSpan(257, 6).SequenceEqual("ustar\0"u8);
        string ustarName = Text(header.AsSpan(0, 100));
        if (posix && prefix.Length > 0)
        {
            ustarName = prefix + "/" + ustarName;
        }

        long size = pax.TryGetValue("size", out string? text)
            ? long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)
            : Number(header.AsSpan(124, 12));
        if (type is >= '1' and <= '6')
        {
            // Links, directories and devices have no content, whatever their size field says.
            size = 0;
        }

        SetContent(size);
        if (!pax.ContainsKey("mtime"))
        {
            pax["mtime"] = Number(header.AsSpan(136, 12)).ToString(CultureInfo.InvariantCulture);
        }

        string name = pax.GetValueOrDefault("path") ?? gnuName ?? ustarName;
        string link = pax.GetValueOrDefault("linkpath") ?? gnuLink ?? Text(header.AsSpan(157, 100));
        return new OracleTarEntry(name, type, link, size, pax);
    }

    private bool ReadHeader()
    {
        Skip(contentLeft + padding);
        SetContent(0);
        int read = input.ReadAtLeast(header, BlockLength, throwOnEndOfStream: false);
        if (read == 0 || !header.AsSpan().ContainsAnyExcept((byte)0))
        {
            return false;
        }

        if (read < BlockLength)
        {
            throw new OracleException("The tar ends inside a header.");
        }

        SetContent(Number(header.AsSpan(124, 12)));
        return true;
    }

    private void SetContent(long size)
    {
        contentLeft = size;
        padding = (int)((BlockLength - (size % BlockLength)) % BlockLength);
    }

    private void Skip(long count)
    {
        byte[] buffer = new byte[1 << 16];
        while (count > 0)
        {
            int piece = (int)Math.Min(buffer.Length, count);
            input.ReadExactly(buffer, 0, piece);
            count -= piece;
        }
    }

    private byte[] ReadAll()
    {
        byte[] content = new byte[contentLeft];
        input.ReadExactly(content);
        contentLeft = 0;
        return content;
    }

    private void ReadPax(Dictionary<string, string> target)
    {
        ReadOnlySpan<byte> rest = ReadAll();
        while (rest.Length > 0)
        {
            int space = rest.IndexOf((byte)' ');
            int length = int.Parse(rest[..space], NumberStyles.None, CultureInfo.InvariantCulture);
            ReadOnlySpan<byte> record = rest[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            target[Encoding.UTF8.GetString(record[..equals])] = Encoding.UTF8.GetString(record[(equals + 1)..]);
            rest = rest[length..];
        }
    }
}
