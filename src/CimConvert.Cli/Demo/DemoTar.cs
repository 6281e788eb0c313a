using System.Text;

namespace CimConvert.Cli.Demo;

/// <summary>
/// Writes a layer's tar with the attributes that Windows' own writer records. The framework's writer would do, but for the id of the
/// process and the time, which it puts into PAX headers: the demo's digests are the same in every run, on every system.
/// </summary>
internal sealed class DemoTar
{
    private const int Block = 512;
    private const int NumberLength = 12;

    /// <summary>Directories and files of Windows have no mode; tools that list the tar show this one.</summary>
    private const string Mode = "0000644\0";

    /// <summary>2024-01-01</summary>
    private const long Time = 1704067200;

    private readonly List<byte> _tar = [];

    public void AddDirectory(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            Add('5', name + '/', attributes: 16, link: string.Empty, []);
        }
    }

    public void AddFile(string name, ReadOnlySpan<byte> content) => Add('0', name, attributes: 32, link: string.Empty, content);

    public void AddLink(string name, string target) => Add('1', name, attributes: 32, target, []);

    /// <summary>The whole tar, its end included.</summary>
    public byte[] ToArray() => [.. _tar, .. new byte[2 * Block]];

    private void Add(char type, string name, int attributes, string link, ReadOnlySpan<byte> content)
    {
        Write('x', "PaxHeader", link: string.Empty, Encoding.ASCII.GetBytes($"25 MSWINDOWS.fileattr={attributes}\n"));
        Write(type, name, link, content);
    }

    /// <summary>A header (POSIX.1, pax, "ustar Interchange Format") and the content, to the end of its last block.</summary>
    private void Write(char type, string name, string link, ReadOnlySpan<byte> content)
    {
        Span<byte> header = stackalloc byte[Block];
        header.Clear();
        Encoding.ASCII.GetBytes(name, header[..100]);
        Encoding.ASCII.GetBytes(Mode, header[100..]);
        Number(header[124..], content.Length);
        Number(header[136..], Time);
        header[148..156].Fill((byte)' ');
        header[156] = (byte)type;
        Encoding.ASCII.GetBytes(link, header[157..257]);
        "ustar\0"u8.CopyTo(header[257..]);
        "00"u8.CopyTo(header[263..]);
        var sum = 0;
        foreach (var value in header)
        {
            sum += value;
        }

        Encoding.ASCII.GetBytes(Octal(sum, 6) + "\0 ", header[148..]);
        _tar.AddRange(header);
        _tar.AddRange(content);
        _tar.AddRange(new byte[-_tar.Count & (Block - 1)]);
    }

    private static void Number(Span<byte> field, long number) => Encoding.ASCII.GetBytes(Octal(number, NumberLength - 1), field);

    private static string Octal(long number, int digits) => Convert.ToString(number, 8).PadLeft(digits, '0');
}
