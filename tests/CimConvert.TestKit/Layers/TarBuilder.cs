using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace CimConvert.TestKit.Layers;

/// <summary>
/// Writes a tar to a stream, entry by entry, and holds none of it. A writer of its own, because the framework's
/// cannot write what real layers contain: GNU long names beside PAX records, base-256 sizes, an archive without end.
/// </summary>
public sealed class TarBuilder(Stream output)
{
    private const int BlockLength = 512;
    private const int NameLength = 100;
    private const long LargestOctalSize = 0x1_ffff_ffff; // eleven octal digits

    /// <summary>A header that gives PAX records to every entry after it.</summary>
    public TarBuilder GlobalPax(IReadOnlyList<KeyValuePair<string, string>> records)
    {
        WritePayloadEntry(TarTypes.PaxGlobalHeader, "pax_global_header", PaxBody(records));
        return this;
    }

    public TarBuilder Add(TarEntrySpec entry) => Add(entry, Stream.Null);

    /// <summary>Writes an entry and copies <see cref="TarEntrySpec.Size"/> bytes of content behind it.</summary>
    public TarBuilder Add(TarEntrySpec entry, Stream content)
    {
        List<KeyValuePair<string, string>> pax = [.. entry.Pax];
        WriteLongName(entry, entry.Name, "path", TarTypes.GnuLongName, pax);
        WriteLongName(entry, entry.LinkName, "linkpath", TarTypes.GnuLongLink, pax);
        if (entry.SizeField == SizeField.Pax || (entry.SizeField == SizeField.Octal && entry.Size > LargestOctalSize))
        {
            pax.Add(KeyValuePair.Create("size", entry.Size.ToString(CultureInfo.InvariantCulture)));
        }

        if (pax.Count > 0)
        {
            WritePayloadEntry(TarTypes.PaxHeader, "PaxHeaders.0/" + Ascii(entry.Name, 60), PaxBody(pax));
        }

        output.Write(Header(entry));
        CopyExactly(content, entry.Size);
        Pad(entry.Size);
        return this;
    }

    /// <summary>The two zero blocks. Without this call the archive just stops, as some writers' do.</summary>
    public void End() => output.Write(new byte[2 * BlockLength]);

    private static bool FitsHeader(string name) => name.Length <= NameLength && Encoding.UTF8.GetByteCount(name) == name.Length;

    private static string Ascii(string name, int limit)
    {
        string ascii = string.Concat(name.Select(unit => unit < 0x80 ? unit : '_'));
        return ascii.Length <= limit ? ascii : ascii[..limit];
    }

    private static byte[] PaxBody(IReadOnlyList<KeyValuePair<string, string>> records)
    {
        using MemoryStream body = new();
        foreach ((string key, string value) in records)
        {
            body.Write(PaxRecord(key, value));
        }

        return body.ToArray();
    }

    // "LENGTH KEY=VALUE\n", where LENGTH counts its own digits too.
    private static byte[] PaxRecord(string key, string value)
    {
        byte[] rest = Encoding.UTF8.GetBytes($" {key}={value}\n");
        int total = rest.Length;
        int digits = 1;
        while ((total = rest.Length + digits).ToString(CultureInfo.InvariantCulture).Length != digits)
        {
            digits++;
        }

        return [.. Encoding.ASCII.GetBytes(total.ToString(CultureInfo.InvariantCulture)), .. rest];
    }

    private static byte[] Header(TarEntrySpec entry)
    {
        byte[] header = new byte[BlockLength];
        PutName(header.AsSpan(0, NameLength), entry.Name);
        PutOctal(header.AsSpan(100, 8), entry.Mode);
        PutOctal(header.AsSpan(108, 8), 0);
        PutOctal(header.AsSpan(116, 8), 0);
        PutSize(header.AsSpan(124, 12), entry);
        PutOctal(header.AsSpan(136, 12), Math.Max(0, entry.ModificationTime));
        header[156] = (byte)entry.Type;
        PutName(header.AsSpan(157, NameLength), entry.LinkName);
        "ustar\0"u8.CopyTo(header.AsSpan(257));
        "00"u8.CopyTo(header.AsSpan(263));
        PutChecksum(header);
        return header;
    }

    private static void PutName(Span<byte> field, string name)
    {
        // What does not fit is said in full before this header; readers that miss it see a cut name.
        Encoding.ASCII.GetBytes(Ascii(name, NameLength), field);
    }

    private static void PutOctal(Span<byte> field, long value)
    {
        string digits = Convert.ToString(value, 8).PadLeft(field.Length - 1, '0');
        Encoding.ASCII.GetBytes(digits, field);
    }

    private static void PutSize(Span<byte> field, TarEntrySpec entry)
    {
        switch (entry.SizeField)
        {
            case SizeField.Base256:
                field[0] = 0x80;
                BinaryPrimitives.WriteInt64BigEndian(field[4..], entry.Size);
                break;
            case SizeField.Pax:
                PutOctal(field, 0);
                break;
            default:
                PutOctal(field, entry.Size > LargestOctalSize ? 0 : entry.Size);
                break;
        }
    }

    private static void PutChecksum(Span<byte> header)
    {
        Span<byte> field = header.Slice(148, 8);
        field.Fill((byte)' ');
        int sum = 0;
        foreach (byte value in header)
        {
            sum += value;
        }

        PutOctal(field[..7], sum);
        field[6] = 0;
    }

    private void WriteLongName(TarEntrySpec entry, string name, string key, char gnuType, List<KeyValuePair<string, string>> pax)
    {
        if (FitsHeader(name))
        {
            return;
        }

        if (entry.LongNames == LongNames.Gnu)
        {
            WritePayloadEntry(gnuType, "././@LongLink", [.. Encoding.UTF8.GetBytes(name), 0]);
        }
        else
        {
            pax.Add(KeyValuePair.Create(key, name));
        }
    }

    private void WritePayloadEntry(char type, string name, byte[] payload)
    {
        output.Write(Header(new TarEntrySpec { Name = name, Type = type, Size = payload.Length }));
        output.Write(payload);
        Pad(payload.Length);
    }

    private void Pad(long length)
    {
        int over = (int)(length % BlockLength);
        if (over != 0)
        {
            output.Write(new byte[BlockLength - over]);
        }
    }

    private void CopyExactly(Stream content, long length)
    {
        byte[] buffer = new byte[(int)Math.Min(Math.Max(length, 1), 1 << 16)];
        while (length > 0)
        {
            int read = content.Read(buffer, 0, (int)Math.Min(buffer.Length, length));
            if (read == 0)
            {
                throw new EndOfStreamException($"The content ends {length} bytes before the size its entry declares.");
            }

            output.Write(buffer, 0, read);
            length -= read;
        }
    }
}
