using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Windows;
using CimConvert.Layers;
using CimConvert.TestKit;
using CimConvert.TestKit.Fuzzing;
using CimConvert.TestKit.Layers;
using TarBuilder = CimConvert.Tests.Formats.Tar.TarBuilder;

namespace CimConvert.Tests.Fuzzing;

/// <summary>A layer's tar through the importer into a CIM, which must then verify. The first part says whether it is a base layer.</summary>
internal sealed class LayerHarness : FuzzHarness, IDisposable
{
    private readonly TempFolder _folder = new();

    public override string Name => "layer";

    public override int MaxLength => 32 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. Words("Files/", "Hives/", "UtilityVM/", ".wh.", ".wh..wh..opq", ":$DATA", "..", "../", "\\", "//", "NUL", "Files/Windows/System32/config/SOFTWARE"),
        .. Words("path=", "linkpath=", "size=", "MSWINDOWS.rawsd=", "MSWINDOWS.sd=", "MSWINDOWS.xattr.", "MSWINDOWS.mountpoint=", "MSWINDOWS.fileattr=", "LIBARCHIVE.creationtime="),
        .. Words("1", "2", "3", "5", "6", "x", "g", "L", "K"),
    ];

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        .. SeedTars.All.SelectMany(tar => new byte[][][] { [[0], tar], [[1], tar] }),
        [[1], Layers.LayerImportHarness.BaseTar().Add("Files/x", data: new byte[5000]).Add("UtilityVM/Files/EFI/Microsoft/Boot/bootmgfw.efi").End().ToArray()],
        [[0], new TarBuilder().Add("Files/l", '1', link: "Files/p").Add("Files/m", '1', link: "Files/l").Add("Files/p", data: [1]).Add("Files/l", data: [2]).End().ToArray()],
    ];

    public override bool IsMutable(int part) => part > 0;

    public override void Repair(byte[][] parts) => TarRepair.Checksums(parts[1]);

    public override bool IsRefusal(Exception error) => error is InvalidDataException or LayerImportException;

    public override string Run(byte[][] parts)
    {
        var layer = _folder.Sub("layer");
        var block = Path.Combine(layer, "layer.bcim");
        try
        {
            using (var image = new ManagedBackend().Create(block, "layer.cim", new BlockCimOptions()))
            {
                var options = new LayerImportOptions { IsBase = parts[0] is [1], LayerFolder = layer };
                LayerImport.Run(new MemoryStream(parts[1]), image, options, default);
                image.Commit(default);
            }

            using var written = OpenCim.Open(block, []);
            var verified = CimVerification.Run(written, null, null, default);
            return $"{Magnitude(verified.Entries)} {Magnitude(verified.Bytes)} {Magnitude(written.Cim.FileCount)}";
        }
        catch (InvalidDataException e) when (File.Exists(block))
        {
            throw new InvalidOperationException($"what the importer wrote does not verify: {e.Message}", e);
        }
        finally
        {
            Directory.Delete(layer, recursive: true);
        }
    }

    public void Dispose() => _folder.Dispose();
}

/// <summary>The records of one entry's extended header, and all that the importer reads from them.</summary>
internal sealed class PaxHarness : FuzzHarness
{
    public override string Name => "pax";

    public override int MaxLength => 8 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. Words("path=", "linkpath=", "size=", "mtime=", "atime=", "ctime=", "LIBARCHIVE.creationtime=", "MSWINDOWS.rawsd=", "MSWINDOWS.sd=", "MSWINDOWS.xattr."),
        .. Words("MSWINDOWS.mountpoint=1", "MSWINDOWS.fileattr=", "GNU.sparse.major=1", "-", ".", "\n", " ", "=", "AAAA", "==", "9223372036854775807", "0x", "D:P(A;;FA;;;SY)", "S-1-5-"),
    ];

    public override IReadOnlyList<byte[][]> MakeSeeds()
    {
        var descriptor = Convert.ToBase64String(Descriptors.Administrators);
        string[][] records =
        [
            ["mtime=1700000000.123456789", "atime=-1", "ctime=0.5", "LIBARCHIVE.creationtime=1.0000001", "MSWINDOWS.fileattr=32"],
            [$"MSWINDOWS.rawsd={descriptor}", "MSWINDOWS.xattr.A=AQID", "MSWINDOWS.xattr.LONGER.NAME=", "size=3"],
            ["MSWINDOWS.sd=O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;;0x1200a9;;;WD)S:(ML;;NW;;;LW)", "path=Files/other/name"],
            ["linkpath=..\\..\\target", "MSWINDOWS.mountpoint=1", "MSWINDOWS.fileattr=1040", "comment=x"],
        ];
        return
        [
            .. from set in records
               from type in "025"
               select new[] { [(byte)type], TarRepair.RecordLengths(System.Text.Encoding.UTF8.GetBytes(string.Concat(set.Select(r => $"0 {r}\n")))) },
        ];
    }

    public override bool IsMutable(int part) => part > 0;

    public override void Repair(byte[][] parts) => parts[1] = TarRepair.RecordLengths(parts[1]);

    public override bool IsRefusal(Exception error) => error is InvalidDataException or LayerImportException;

    public override string Run(byte[][] parts)
    {
        var type = (char)parts[0][0];
        byte[] data = type == '0' ? [1, 2, 3] : [];
        var tar = new TarBuilder().Header("pax"u8, 'x', parts[1].Length).Data(parts[1]).Header("Files/entry"u8, type, data.Length, "target"u8).Data(data).End();
        using var layer = new Layers.LayerFolder();
        using var image = new Layers.RecordingCimWriter();
        var result = LayerImport.Run(tar.ToStream(), image, new LayerImportOptions { IsBase = false, LayerFolder = layer.Path }, default);
        return $"{result.Entries} {result.Size} {image.Lines.Count} {Magnitude(image.Lines.Sum(line => line.Length))}";
    }
}

/// <summary>Security descriptors as text, and the check of binary ones.</summary>
internal sealed class DescriptorHarness : FuzzHarness
{
    public override string Name => "descriptor";

    public override int MaxLength => 4 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
        Words("O:", "G:", "D:", "S:", "BA", "SY", "WD", "S-1-5-21-", "(A;", ";;;", "OICI", "FA", "0x1200a9", "PAI", "AR", "(ML;;NW;;;LW)", "4294967295", "(XA;;GX;;;S-1-1-0;(x))");

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        ["O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;;0x1200a9;;;WD)S:(ML;;NW;;;LW)"u8.ToArray()],
        ["O:S-1-5-21-1-2-3-500D:(D;;GA;;;AN)(OA;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;AU)"u8.ToArray()],
        [Descriptors.Administrators],
        [Sddl.Parse("O:BAG:SYD:PAI(A;OICI;FA;;;SY)S:AI(AU;SAFA;FA;;;WD)"u8)],
    ];

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        if (SelfRelativeDescriptor.Validate(parts[0]) is not { } why)
        {
            return "binary";
        }

        var parsed = Sddl.Parse(parts[0]);
        return SelfRelativeDescriptor.Validate(parsed) is { } wrong
            ? throw new InvalidOperationException($"text made a descriptor that {wrong}")
            : $"{why} {Magnitude(parsed.Length)}";
    }
}
