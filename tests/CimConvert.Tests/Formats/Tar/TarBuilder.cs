using System.Globalization;
using System.Text;

namespace CimConvert.Tests.Formats.Tar;

/// <summary>Writes tars byte by byte, well-formed unless told otherwise: what a library would refuse to write must be writable here.</summary>
internal sealed class TarBuilder
{
    public const int Block = 512;
    private const int NameLength = 100;

    private readonly MemoryStream _tar = new();

    public long Length => _tar.Length;

    public TarBuilder Add(
        string name,
        char type = '0',
        byte[]? data = null,
        string link = "",
        (string Keyword, string Value)[]? pax = null,
        long mtime = 0)
    {
        var path = Encoding.UTF8.GetBytes(name);
        var target = Encoding.UTF8.GetBytes(link);
        var records = new List<(string Keyword, string Value)>(pax ?? []);
        if (path.Length > NameLength)
        {
            records.Insert(0, ("path", name));
        }

        if (target.Length > NameLength)
        {
            records.Insert(0, ("linkpath", link));
        }

        if (records.Count > 0)
        {
            Pax('x', [.. records]);
        }

        return Header(Head(path), type, data?.Length ?? 0, Head(target), mtime)
            .Data(data ?? []);
    }

    public TarBuilder Pax(char type, params (string Keyword, string Value)[] records) =>
        Pax(type, string.Concat(records.Select(r => Record(r.Keyword, r.Value))));

    public TarBuilder Pax(char type, string records)
    {
        var bytes = Encoding.UTF8.GetBytes(records);
        return Header("pax"u8, type, bytes.Length).Data(bytes);
    }

    public static string Record(string keyword, string value)
    {
        var body = Encoding.UTF8.GetByteCount($" {keyword}={value}\n");
        var size = body + 1;
        while (size != body + Digits(size))
        {
            size = body + Digits(size);
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size} {keyword}={value}\n");

        static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
    }

    public TarBuilder Header(
        ReadOnlySpan<byte> name, char type, long size, ReadOnlySpan<byte> link = default, long mtime = 0, Action<byte[]>? change = null, bool signedSum = false)
    {
        var block = new byte[Block];
        name.CopyTo(block);
        "0000644\0"u8.CopyTo(block.AsSpan(100));
        Octal(size).CopyTo(block.AsSpan(124));
        Octal(mtime).CopyTo(block.AsSpan(136));
        block[156] = (byte)type;
        link.CopyTo(block.AsSpan(157));
        "ustar\0"u8.CopyTo(block.AsSpan(257));
        "00"u8.CopyTo(block.AsSpan(263));
        change?.Invoke(block);
        block.AsSpan(148, 8).Fill((byte)' ');
        var sum = signedSum ? block.Sum(b => (sbyte)b) : block.Sum(b => b);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block, 148);
        return Raw(block);
    }

    public TarBuilder Data(ReadOnlySpan<byte> data) => Raw(data).Raw(new byte[-data.Length & (Block - 1)]);

    public TarBuilder Raw(ReadOnlySpan<byte> bytes)
    {
        _tar.Write(bytes);
        return this;
    }

    public TarBuilder End() => Raw(new byte[2 * Block]);

    public byte[] ToArray() => _tar.ToArray();

    public MemoryStream ToStream() => new(_tar.ToArray());

    private static ReadOnlySpan<byte> Head(byte[] name) => name.AsSpan(0, Math.Min(NameLength, name.Length));

    private static byte[] Octal(long value) => Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(11, '0') + "\0");
}
