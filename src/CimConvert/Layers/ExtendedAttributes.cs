using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using CimConvert.Formats.Tar;

namespace CimConvert.Layers;

/// <summary>
/// Converts a file's extended attributes from <c>MSWINDOWS.xattr.</c> records to FILE_FULL_EA_INFORMATION entries ([MS-FSCC] 2.4.15). They
/// are sorted by name: their order in PAX records depends on the writer's hash map, and the same layer must give the same bytes every time.
/// </summary>
internal static class ExtendedAttributes
{
    /// <summary>
    /// The most bytes of a name (github.com/microsoft/hcsshim, internal/cimfs/format/format.go as of commit 53334e4c6,
    /// MaximumEaNameLength).
    /// </summary>
    public const int MaxNameLength = 0xfe;

    /// <summary>The most bytes of all attributes of a file together (the same, MaximumFullEaLength).</summary>
    public const int MaxSize = 0xffff;

    private const int HeaderLength = 8;
    private const int NameLengthOffset = 5;
    private const int ValueLengthOffset = 6;
    private const int Alignment = 4;

    private static ReadOnlySpan<byte> Prefix => "MSWINDOWS.xattr."u8;

    /// <exception cref="InvalidDataException">A name or value is malformed or too long.</exception>
    public static byte[] FromPax(TarReader tar)
    {
        SortedDictionary<string, byte[]>? attributes = null;
        Collect(tar.GlobalRecords, ref attributes);
        Collect(tar.Records, ref attributes);
        return attributes is null ? [] : Encode(attributes);
    }

    private static void Collect(PaxRecords records, ref SortedDictionary<string, byte[]>? attributes)
    {
        for (var i = 0; i < records.Count; i++)
        {
            if (records.Keyword(i).StartsWith(Prefix))
            {
                attributes ??= new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
                // One character for each byte: EA names are OEM bytes on Windows, and are sorted by their bytes.
                var name = Encoding.Latin1.GetString(records.Keyword(i)[Prefix.Length..]);
                if (name.Length is 0 or > MaxNameLength || name.Contains('\0', StringComparison.Ordinal))
                {
                    throw new InvalidDataException($"an extended attribute whose name is empty, has a NUL or is longer than {MaxNameLength} bytes");
                }

                attributes[name] = Decode(records.Value(i), name);
            }
        }
    }

    private static byte[] Decode(ReadOnlySpan<byte> text, string name)
    {
        var value = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text, value, out _, out var written) == OperationStatus.Done
            ? value[..written]
            : throw new InvalidDataException($"the extended attribute '{name}' is not base64");
    }

    private static byte[] Encode(SortedDictionary<string, byte[]> attributes)
    {
        long size = 0;
        foreach (var (name, value) in attributes)
        {
            size += EntryLength(name, value);
        }

        if (size > MaxSize)
        {
            throw new InvalidDataException($"extended attributes of {size} bytes, more than {MaxSize}");
        }

        var buffer = new byte[size];
        var entry = buffer.AsSpan();
        foreach (var (name, value) in attributes)
        {
            var length = EntryLength(name, value);
            BinaryPrimitives.WriteInt32LittleEndian(entry, length < entry.Length ? length : 0);
            entry[NameLengthOffset] = (byte)name.Length;
            BinaryPrimitives.WriteUInt16LittleEndian(entry[ValueLengthOffset..], (ushort)value.Length);
            Encoding.Latin1.GetBytes(name, entry[HeaderLength..]);
            value.CopyTo(entry[(HeaderLength + name.Length + 1)..]);
            entry = entry[length..];
        }

        return buffer;
    }

    private static int EntryLength(string name, byte[] value) =>
        (HeaderLength + name.Length + 1 + value.Length + Alignment - 1) & -Alignment;
}
