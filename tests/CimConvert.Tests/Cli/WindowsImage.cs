using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;

namespace CimConvert.Tests.Cli;

/// <summary>A Windows image of four small layers that together have everything a layer can have.</summary>
internal static class WindowsImage
{
    public const int BigZeroSize = 24 << 20;

    /// <summary>The layer that changes the registry.</summary>
    private const int HiveLayer = 1;

    private static readonly EntryOptions s_hidden = new() { Attributes = FileAttributes.Hidden | FileAttributes.System | FileAttributes.ReadOnly };

    /// <summary>All four, base first.</summary>
    public static IReadOnlyList<LayerBuilder> Layers => [Base(), Runtime(), Middle(), App()];

    /// <summary>What the four make together. Of a merged hive only the bytes are asked for: how hives merge is judged by their own tests.</summary>
    public static IReadOnlyList<OracleEntry> Expected
    {
        get
        {
            var oracle = new TarOracle { MergedHives = (layer, hive) => layer == HiveLayer ? MergedHive(hive) : null };
            foreach (var layer in Layers)
            {
                oracle.Add(layer.ToArray());
            }

            return oracle.Entries();
        }
    }

    public static ImageBuilder Image(params IEnumerable<LayerBuilder> layers)
    {
        var image = new ImageBuilder();
        foreach (var (i, layer) in layers.Index())
        {
            // Both encodings a registry serves without naming a further tool.
            image.Layer(layer, i == 2 ? LayerCompression.None : LayerCompression.Gzip);
        }

        return image;
    }

    /// <summary>The least that a base layer can be.</summary>
    public static LayerBuilder SmallBase() => new LayerBuilder().Directory("Files").BaseHives().File("Files/base.txt", "base");

    public static LayerBuilder Base() => new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
        .Directory("Files").Directory("Files/Windows").Directory("Files/Windows/System32").Directory("Files/Windows/System32/config")
        .BaseHives(BaseHive)
        .File("Files/Windows/win.ini", "; for 16-bit app support\r\n")
        .File("Files/Windows/System32/library.dll", SeededContent.Bytes(1, 200_000))
        .File("Files/Windows/System32/same.dll", SeededContent.Bytes(1, 200_000))
        .File("Files/Windows/System32/removed.dll", SeededContent.Bytes(2, 5_000))
        .File("Files/Windows/System32/Case.dll", "one spelling")
        .Directory("Files/Sizes", s_hidden with { Attributes = FileAttributes.Directory | FileAttributes.Hidden })
        .File("Files/Sizes/0", "")
        .File("Files/Sizes/1", "x")
        .File("Files/Sizes/4095", SeededContent.Bytes(3, 4095))
        .File("Files/Sizes/4096", SeededContent.Bytes(4, 4096))
        .File("Files/Sizes/4097", SeededContent.Bytes(5, 4097))
        .File("Files/Sizes/zeros", BigZeroSize, () => new MemoryStream(new byte[BigZeroSize], writable: false))
        .File("Files/Sizes/big", 3_000_001, () => SeededContent.Stream(6, 3_000_001))
        .File("Files/attributes", "hidden, system, read-only", s_hidden)
        .File("Files/sddl", "old layers", new EntryOptions { Sddl = "O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;;0x1200a9;;;WD)" })
        .File("Files/ea", "with EAs", new EntryOptions
        {
            ExtendedAttributes = [new("$KERNEL.PURGE.ESBCACHE", SeededContent.Bytes(7, 33)), new("APPX.EMPTY", []), new("$CI.CATALOGHINT", [1, 2, 3])],
        })
        .File("Files/old-times", "", new EntryOptions { Times = new EntryTimes("-11644473599.9999999", "0", "1.0000001", "-1.5") })
        .File("Files/streams", "small main stream")
        .AlternateStream("Files/streams", "with-type", SeededContent.Bytes(8, 100))
        .AlternateStream("Files/streams", "without-type", SeededContent.Bytes(9, 5_000), withDataSuffix: false)
        .AlternateStream("Files/streams", "empty", [])
        .HardLink("Files/Windows/linked.dll", "Files/Windows/System32/library.dll")
        .HardLink("Files/Windows/chained.dll", "Files/Windows/linked.dll")
        .HardLink("Files/Windows/software-hive", "Files/Windows/System32/config/SOFTWARE")
        .Symlink("Files/relative", "Windows/System32/library.dll")
        .Symlink("Files/climbing", "../../outside")
        .Symlink("Files/absolute", @"c:\Windows\win.ini")
        .MountPoint("Files/junction", @"\\?\Volume{00000000-0000-0000-0000-000000000001}\Windows")
        .Directory("Files/Old").File("Files/Old/a", "a").Directory("Files/Old/sub").File("Files/Old/sub/b", "b")
        .Directory("Files/Opaque").File("Files/Opaque/below", "hidden by the third layer").File("Files/Opaque/again", "first")
        .File("Files/becomes-directory", "file").Directory("Files/becomes-file").File("Files/becomes-file/child", "gone")
        .File("UtilityVM/Files/Windows/System32/config/SYSTEM", SeededContent.Bytes(20, 8192))
        .File("UtilityVM/Files/EFI/Microsoft/Boot/bootmgfw.efi", SeededContent.Bytes(21, 9000))
        .File("UtilityVM/Files/bcd.txt", "no parent entries");

    public static LayerBuilder Runtime() => new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
        .Directory("Files").Directory("Files/Program Files").Directory("Files/Program Files/Runtime")
        .File("Files/Program Files/Runtime/runtime.dll", SeededContent.Bytes(10, 500_000))
        .File("Files/Program Files/Runtime/copy-of-base.dll", SeededContent.Bytes(1, 200_000))
        .HardLink("Files/Program Files/Runtime/to-parent.dll", "Files/Windows/System32/library.dll")
        .HardLink("Files/Program Files/Runtime/chain.dll", "Files/Program Files/Runtime/to-parent.dll")
        .HardLink("Files/Program Files/Runtime/own.dll", "Files/Program Files/Runtime/runtime.dll")
        .Whiteout("Files/Windows/System32/removed.dll")
        .Whiteout("Files/Old")
        .Directory("Files/Old").File("Files/Old/c", "only this is left")
        .File("Files/Windows/win.ini", "; replaced\r\n")
        .File("Files/implicit/parents/everywhere/file.txt", "the tar has none of its parents")
        .Directory("Hives").DeltaHives(DeltaHive);

    public static LayerBuilder Middle() => new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
        .Directory("Files")
        .OpaqueWhiteout("Files/Opaque").File("Files/Opaque/again", "second")
        .File("Files/WINDOWS/system32/CASE.DLL", "another spelling", s_hidden)
        .HardLink("Files/third-chain.dll", "Files/Program Files/Runtime/chain.dll")
        .Directory("Files/becomes-directory").File("Files/becomes-directory/child", "new")
        .File("Files/becomes-file", "file")
        .File("Files/" + new string('n', 150) + ".txt", "a name longer than a header holds")
        .File("Files/größe-語.txt", Encoding.UTF8.GetBytes("ユニコード"))
        .File("Files/streams", "the streams below are gone");

    public static LayerBuilder App() => new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
        .Directory("Files").Directory("Files/app")
        .File("Files/app/app.exe", SeededContent.Bytes(11, 120_000))
        .AlternateStream("Files/app/app.exe", "Zone.Identifier", Encoding.ASCII.GetBytes("[ZoneTransfer]\r\nZoneId=3\r\n"))
        .File("Files/app/app.exe.config", "first").File("Files/app/app.exe.config", "the last entry wins")
        .HardLink("Files/app/kept.dll", "Files/Windows/System32/same.dll")
        .Whiteout("Files/Windows/System32/same.dll")
        .MountPoint("Files/relative", @"c:\elsewhere")
        .Directory("Files/app", new EntryOptions { Attributes = FileAttributes.Directory | FileAttributes.Hidden });

    private static byte[] BaseHive(string name) =>
        new HiveBuilder(new KeySpec("ROOT").With(new KeySpec(name).With(ValueSpec.Text("Where", "base layer")))).Build();

    private static byte[] DeltaHive(string name) =>
        new HiveBuilder(new KeySpec("ROOT").With(new KeySpec("Changed").With(ValueSpec.Text("By", name)))) { MinorVersion = 6, Flags = 2 }.Build();

    private static byte[] MergedHive(string name)
    {
        var inBase = name == "DEFAULTUSER" ? "DEFAULT" : name;
        using var merged = new MemoryStream();
        HiveWriter.Write(HiveMerge.Merge(HiveReader.Read(BaseHive(inBase)), HiveReader.Read(DeltaHive(name + "_DELTA"))), merged);
        return merged.ToArray();
    }
}
