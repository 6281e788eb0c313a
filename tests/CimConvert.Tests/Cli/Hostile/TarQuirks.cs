using System.Buffers.Binary;
using System.Text;
using CimConvert.TestKit;
using CimConvert.TestKit.Hives;
using TarBuilder = CimConvert.Tests.Formats.Tar.TarBuilder;

namespace CimConvert.Tests.Cli.Hostile;

/// <summary>What can be wrong with a layer's tar.</summary>
internal static class TarQuirks
{
    private const int SizeField = 124;

    public static IReadOnlyList<Quirk> All { get; } =
    [
        // Names.
        File("dot-dot", "Files/../../x", ".."),
        File("dot-dot with backslashes", @"Files\..\..\x", ".."),
        File("absolute", "/etc/passwd", "is absolute"),
        File("drive", "c:/x", "a ':'"),
        File("verbatim path", @"\\?\c:\x", "is absolute"),
        File("share", @"\\server\share\x", "is absolute"),
        File("trailing dot", "Files/x.", null),
        File("reserved device", "Files/NUL", null),
        File("control character", "Files/a\nb", null),
        File("stream of a stream", "Files/first:a:b", "stream"),
        File("default stream by its type", "Files/first::$DATA", "stream"),
        File("stream of nothing", "Files/none:s", "does not follow its file"),
        File("stream of a hive", "Files/Windows/System32/config/SOFTWARE:s", "a file that the importer works on"),
        File("component of 300", "Files/" + new string('n', 300), "255"),
        File("path of 33,000", "Files" + string.Concat(Enumerable.Repeat("/" + new string('n', 200), 165)), "path"),
        File("directories 100 deep", "Files" + string.Concat(Enumerable.Repeat("/d", 100)) + "/x", null),
        new("NUL in a PAX path", i => i.Tar.Add("Files/x", pax: [("path", "Files/a\0b")]), "NUL"),
        new("name that is no UTF-8", i => i.Header("Files/x", '0', 0, [0xff, 0xfe]), "UTF-8"),
        new("empty name", i => i.Header("x", '0', 0, [0]), "without a name"),

        // Kinds.
        new("character device", i => i.Tar.Add("Files/device", '3'), "CharacterDevice"),
        new("fifo", i => i.Tar.Add("Files/fifo", '6'), "Fifo"),
        new("unknown type", i => i.Tar.Add("Files/x", 'Z'), "unknown type"),
        new("sparse file of GNU", i => i.Tar.Add("Files/x", 'S'), "sparse"),
        new("sparse file in PAX", i => i.Tar.Add("Files/x", pax: [("GNU.sparse.major", "1")]), "sparse"),

        // Sizes and records.
        new("size of an exbibyte", i => i.Header("Files/huge", '0', SizeField, [0x80, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0]), "cannot have 1152921504606846976 bytes"),
        new("negative size", i => i.Header("Files/x", '0', SizeField, Enumerable.Repeat((byte)0xff, 12).ToArray()), "size"),
        new("PAX size beyond the tar", i => i.Tar.Add("Files/x", data: [1], pax: [("size", "99999999")]), "the stream ends 99998463 bytes before"),
        new("PAX size below the data", i => i.Tar.Add("Files/x", data: SeededContent.Bytes(1, 700), pax: [("size", "1")]), "checksum"),
        new("PAX size that is no number", i => i.Tar.Add("Files/x", data: [1], pax: [("size", "1e3")]), "size"),
        new("PAX record of a wrong length", i => i.Tar.Pax('x', "99 path=a\n").Add("Files/x"), "wrong length"),
        new("PAX record without '='", i => i.Tar.Pax('x', "9 abcdef\n").Add("Files/x"), "not 'keyword=value'"),
        new("two extended headers", i => i.Tar.Pax('x', ("a", "b")).Pax('x', ("c", "d")).Add("Files/x"), "second extended header"),
        new("two long names", i => i.Tar.Header("l"u8, 'L', 3).Data("ab\0"u8).Header("l"u8, 'L', 3).Data("cd\0"u8).Add("Files/x"), "second long name"),
        new("long name of a gibibyte", i => i.Tar.Header("l"u8, 'L', 1 << 30).Add("Files/x"), "more than"),
        new("global path", i => i.Tar.Pax('g', ("path", "Files/all")).Add("Files/x"), "global"),
        new("extended header at the end", i => i.TarChanges.Add(tar => [.. WithoutEnd(tar), .. new TarBuilder().Pax('x', ("a", "b")).End().ToArray()]), "without the entry it describes"),
        new("wrong checksum", i => i.TarChanges.Add(tar => [.. WithoutEnd(tar), .. Broken(), .. new byte[1024]]), "checksum"),
        new("lone zero block", i => i.TarChanges.Add(tar => [.. WithoutEnd(tar), .. new byte[512], .. new TarBuilder().Add("Files/x").End().ToArray()]), "zero block"),
        new("cut within data", i => i.TarChanges.Add(tar => [.. WithoutEnd(tar), .. new TarBuilder().Add("Files/cut", data: new byte[2000]).ToArray()[..^1000]]), "ends"),
        new("cut within a header", i => i.TarChanges.Add(tar => [.. WithoutEnd(tar), .. new TarBuilder().Add("Files/cut").ToArray()[..300]]), "ends inside a header"),
        new("garbage behind the end", i => i.TarChanges.Add(tar => [.. tar, .. Encoding.ASCII.GetBytes(new string('g', 5000))])),
        new("no end", i => i.TarChanges.Add(WithoutEnd)),
        new("nothing at all", i => i.TarChanges.Add(_ => []), "gzip", Names.Layer),
        new("no tar", i => i.TarChanges.Add(_ => Encoding.ASCII.GetBytes(new string('x', 2048))), "checksum"),

        // Links.
        new("hard link to nowhere", i => i.Tar.Add("Files/link", '1', link: "Files/nowhere"), "nowhere", Names.Link),
        new("hard link to itself", i => i.Tar.Add("Files/self", '1', link: "Files/self"), "a hard link to itself"),
        new("hard links in a circle", i => i.Tar.Add("Files/a", '1', link: "Files/b").Add("Files/b", '1', link: "Files/a"), "leads back to it", Names.Link),
        new("hard link to a directory", i => i.Tar.Add("Files/d", '5').Add("Files/l", '1', link: "Files/d"), "to the directory"),
        new("hard link out of the image", i => i.Tar.Add("Files/out", '1', link: "../../etc/passwd"), "'..'"),
        new("symbolic link out of the image", i => i.Tar.Add("Files/sym", '2', link: "../../../../etc/passwd")),
        new("file below a symbolic link", i => i.Tar.Add("Files/s2", '2', link: "/etc").Add("Files/s2/x", data: [1]), "is not a directory"),
        new("symbolic link without a target", i => i.Tar.Add("Files/s3", '2'), "without a target"),
        new("reparse target of 20,000", i => i.Tar.Add("Files/long", '2', link: new string('t', 20_000)), "more than 16384"),

        // Whiteouts.
        new("whiteout of Files", i => i.Tar.Add(".wh.Files")),
        new("whiteout without a name", i => i.Tar.Add("Files/.wh."), "empty component"),
        new("whiteout of dots", i => i.Tar.Add("Files/.wh..."), "'..'"),
        new("opaque root", i => i.Tar.Add(".wh..wh..opq")),
        new("whiteout of what is in the layer", i => i.Tar.Add("Files/.wh.first")),

        // Entries that meet.
        new("same file twice", i => i.Tar.Add("Files/twice", data: [1]).Add("Files/twice", data: [2, 3])),
        new("two cases of a name", i => i.Tar.Add("Files/Case", data: [1]).Add("Files/CASE", data: [2])),
        new("file, then a directory", i => i.Tar.Add("Files/fd", data: [1]).Add("Files/fd", '5').Add("Files/fd/x"), "a directory where the layer has something else"),
        new("directory, then a file", i => i.Tar.Add("Files/df", '5').Add("Files/df/x").Add("Files/df", data: [1]), "has a directory by that name"),
        new("file below a file", i => i.Tar.Add("Files/ff", data: [1]).Add("Files/ff/x", data: [1]), "is not a directory"),
        new("outside of all folders", i => i.Tar.Add("elsewhere/x", data: [1])),
        new("name of a layer's file", i => i.Tar.Add("layer.cim", data: [1]).Add("merged.bcim", data: [2])),
        new("hives of a base layer", i => i.Tar.Add("Files/Windows/System32/config/SOFTWARE", data: "no hive"u8.ToArray())),

        // Metadata.
        Pax("descriptor that is no base64", "MSWINDOWS.rawsd", "!!!", "base64"),
        Pax("descriptor that is none", "MSWINDOWS.rawsd", "AAAA", "descriptor"),
        Pax("SDDL that is none", "MSWINDOWS.sd", "O:nobody", "a security descriptor with a syntax error"),
        Pax("extended attribute of 70,000", "MSWINDOWS.xattr.LARGE", Convert.ToBase64String(new byte[70_000]), "more than 65535"),
        Pax("extended attribute that is no base64", "MSWINDOWS.xattr.A", "*", "base64"),
        Pax("extended attribute without a name", "MSWINDOWS.xattr.", "AAAA", "an extended attribute whose name"),
        Pax("attributes that are no number", "MSWINDOWS.fileattr", "-1", "file attributes"),
        Pax("time that is none", "mtime", "yesterday", "a time that is not"),
        Pax("time out of range", "LIBARCHIVE.creationtime", "99999999999999999", "a time outside"),

        // Hives.
        new("delta that is no hive", i => i.Tar.Add("Hives/Software_Delta", data: "no hive"u8.ToArray()), "registry hive SOFTWARE", Names.Layer),
        new("delta of nothing", i => i.Tar.Add("Hives/System_Delta"), "registry hive SYSTEM", Names.Layer),
        new("delta with a key in itself", i => i.Tar.Add("Hives/Sam_Delta", data: Cyclic()), "registry hive SAM", Names.Layer),
        new("delta that was not finished", i => i.Tar.Add("Hives/Security_Delta", data: Dirty()), "registry hive SECURITY", Names.Layer),
        new("delta of an unknown hive", i => i.Tar.Add("Hives/Other_Delta", data: [1])),
        new("hive's path out of its folder", i => i.Tar.Add("Hives/../x", data: [1]), ".."),
    ];

    private static Quirk File(string name, string path, string? refusal) => new(name, i => i.Tar.Add(path, data: [1, 2, 3]), refusal);

    private static Quirk Pax(string name, string keyword, string value, string refusal) =>
        new(name, i => i.Tar.Add("Files/described", data: [1], pax: [(keyword, value)]), refusal);

    /// <summary>Of a tar that another quirk emptied, nothing.</summary>
    private static byte[] WithoutEnd(byte[] tar) => tar[..^Math.Min(1024, tar.Length)];

    private static byte[] Broken()
    {
        var header = new TarBuilder().Add("Files/broken").ToArray();
        header[0] ^= 1;
        return header;
    }

    /// <summary>The root's list of subkeys names the root (offsets: FORMAT.md of the room Regf).</summary>
    private static byte[] Cyclic()
    {
        var hive = Delta();
        var root = BinaryPrimitives.ReadInt32LittleEndian(hive.AsSpan(36));
        var list = BinaryPrimitives.ReadInt32LittleEndian(hive.AsSpan(HiveBuilder.BaseBlockSize + root + 4 + 28));
        BinaryPrimitives.WriteInt32LittleEndian(hive.AsSpan(HiveBuilder.BaseBlockSize + list + 4 + 4), root);
        return hive;
    }

    /// <summary>Two sequence numbers that differ: a write was begun and not ended.</summary>
    private static byte[] Dirty()
    {
        var hive = Delta();
        hive[8] ^= 1;
        HiveBuilder.Reseal(hive);
        return hive;
    }

    private static byte[] Delta() => new HiveBuilder(new KeySpec("ROOT").With(new KeySpec("a"))) { MinorVersion = 6, Flags = 2 }.Build();
}
