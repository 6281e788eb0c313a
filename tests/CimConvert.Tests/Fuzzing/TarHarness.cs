using System.Text;
using CimConvert.Formats.Tar;
using CimConvert.TestKit.Fuzzing;
using CimConvert.TestKit.Layers;
using TarBuilder = CimConvert.Tests.Formats.Tar.TarBuilder;

namespace CimConvert.Tests.Fuzzing;

/// <summary>The tar reader alone, on whole archives.</summary>
internal sealed class TarHarness : FuzzHarness
{
    public override string Name => "tar";

    public override IReadOnlyList<byte[]> Tokens { get; } =
        [.. Words("ustar\0", "ustar  \0", "path=", "size=", "linkpath=", "GNU.sparse.", "././@LongLink", "x", "g", "L", "K", "S", "tar\0", "\n"), new byte[512], new byte[1024]];

    public override int MaxLength => 32 << 10;

    public override IReadOnlyList<byte[][]> MakeSeeds() => [.. SeedTars.All.Select(tar => new[] { tar })];

    public override void Repair(byte[][] parts) => TarRepair.Checksums(parts[0]);

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        // A small buffer, so that entries cross its end.
        using var tar = new TarReader(new MemoryStream(parts[0]), bufferSize: 1024);
        var (entries, bytes, records) = (0L, 0L, 0L);
        while (tar.MoveNext())
        {
            entries++;
            for (var i = 0; i < tar.Records.Count; i++)
            {
                records += tar.Records.Keyword(i).Length + tar.Records.Value(i).Length;
            }

            if (tar.TryGetPax("path"u8, out var path) && path.Length > parts[0].Length)
            {
                throw new InvalidOperationException("a record longer than the tar");
            }

            // Every other entry is skipped, as the reader does by itself.
            while (entries % 2 == 0 && tar.TryReadData(out var slice))
            {
                bytes += slice.Length;
            }
        }

        tar.Drain();
        return bytes <= parts[0].Length && entries <= parts[0].Length / 512
            ? $"{Magnitude(entries)} {Magnitude(bytes)} {Magnitude(records)}"
            : throw new InvalidOperationException($"{entries} entries with {bytes} bytes in a tar of {parts[0].Length}");
    }
}

/// <summary>The tars that the harnesses of tars start from.</summary>
internal static class SeedTars
{
    private static readonly string s_descriptor = Convert.ToBase64String(Descriptors.Administrators);

    public static IReadOnlyList<byte[]> All { get; } =
    [
        new TarBuilder().Add("Files", '5').Add("Files/a", data: "content"u8.ToArray()).End().ToArray(),
        new TarBuilder()
            .Pax('g', ("comment", "of all"), ("MSWINDOWS.fileattr", "32"))
            .Add("Files/" + new string('n', 120), data: new byte[600], pax: [("mtime", "1.5"), ("LIBARCHIVE.creationtime", "-3"), ("MSWINDOWS.rawsd", s_descriptor)])
            .Add("Files/link", '2', link: "../outside", pax: [("MSWINDOWS.fileattr", "1056")])
            .Add("Files/mount", '2', link: @"\\?\Volume{1}\x", pax: [("MSWINDOWS.mountpoint", "1"), ("MSWINDOWS.fileattr", "1040")])
            .End().ToArray(),
        new TarBuilder()
            .Header("././@LongLink"u8, 'L', 9).Data("Files/gn\0"u8)
            .Header("././@LongLink"u8, 'K', 8).Data("Files/a\0"u8)
            .Header("short"u8, '1', 0)
            .Add("Files/a", data: [1])
            .Add("Files/hard", '1', link: "Files/a")
            .Add("Files/old/", '\0')
            .ToArray(),
        new TarBuilder()
            .Add("Files/.wh.gone").Add("Files/d/.wh..wh..opq")
            .Add("Files/s", data: [1, 2]).Add("Files/s:one:$DATA", data: [3]).Add("Files/s:two", data: new byte[513])
            .Add("Hives/Software_Delta", data: new byte[10])
            .Add("Files/ea", pax: [("MSWINDOWS.xattr.NAME", "AQID"), ("MSWINDOWS.xattr.OTHER", ""), ("MSWINDOWS.sd", "O:BAG:SYD:(A;;FA;;;SY)")])
            .End().ToArray(),
        new TarBuilder()
            .Header("Files/base256"u8, '0', 3, change: block => new byte[] { 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3 }.CopyTo(block, 124)).Data([1, 2, 3])
            .Add("Files/pax-size", data: [1, 2, 3, 4], pax: [("size", "4")])
            .Add("UtilityVM/Files/EFI/x", data: [1]).Add("Files/fifo", '6').Add("Files/device", '3')
            .End().Raw(Encoding.ASCII.GetBytes("behind the end")).ToArray(),
    ];
}
