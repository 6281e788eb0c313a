using System.Text;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Formats.BlockFile;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Names and links that would take the program's files elsewhere: one line, exit code 1, and nothing anywhere.</summary>
[Category(Categories.Process)]
public class HostilePlacesTests
{
    [TestCase("../escaped.cim")]
    [TestCase(@"..\escaped.cim")]
    [TestCase("/tmp/escaped.cim")]
    [TestCase("NUL")]
    [TestCase("layer.cim ")]
    [TestCase("layer.cim:stream")]
    public async Task A_cim_name_that_is_no_file_name(string name)
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().WriteFile(folder["layer.tar"]);

        var error = await CimConvertProgram.FailAsync(1, "import", tar, "--quiet", "--block", folder["out", "layer.bcim"], "--cim-name", name);

        Assert.That(error, Does.Contain($"'{name}'"));
        Assert.That(StoreFiles.Relative(folder.Path), Is.EqualTo(new[] { "layer.tar" }));
    }

    /// <summary>A block file's own names are checked, too: the writer refuses such names, so the bytes are changed behind its back.</summary>
    [TestCase("export")]
    [TestCase("extract")]
    [TestCase("pack")]
    [TestCase("ls")]
    public async Task A_block_file_whose_cim_is_called_to_lead_out(string command)
    {
        using var lab = new CimLab();
        var block = lab.Write("hostile", w => w.File("f", "x"), name: "xx_escaped.cim");
        var bytes = await File.ReadAllBytesAsync(block);
        var (from, to) = (Encoding.Unicode.GetBytes("xx_escaped"), Encoding.Unicode.GetBytes("../escaped"));
        while (bytes.AsSpan().IndexOf(from) is >= 0 and var at)
        {
            to.CopyTo(bytes, at);
        }

        Superblocks.FixDirectoryDigest(bytes);
        await File.WriteAllBytesAsync(block, bytes);

        var error = await CimConvertProgram.FailAsync(1, [command, block, .. command switch { "ls" => (string[])[], "pack" => ["--block", lab["out"]], _ => [lab["out"]] }]);

        Assert.That(error, Does.Contain(block).And.Contains("has a name that "));
        Assert.That(StoreFiles.Relative(lab.Folder.Path), Is.EqualTo(new[] { "hostile" }));
    }

    /// <summary>A CIM may say that its regions have the ids of another's: exported beside that one, it must not become it.</summary>
    [Test]
    public async Task An_export_leaves_alone_what_is_there_and_is_not_the_same()
    {
        using var lab = new CimLab();
        var block = lab.Write("block", w => w.File("f", "content"));
        await CimConvertProgram.SucceedAsync("export", block, lab["out"]);
        var region = Directory.EnumerateFiles(lab["out"], "region_*_2").Single();
        File.Delete(Path.Combine(lab["out"], "layer.cim"));
        await CimConvertProgram.SucceedAsync("export", block, lab["out"]);
        File.Delete(Path.Combine(lab["out"], "layer.cim"));
        var bytes = await File.ReadAllBytesAsync(region);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(region, bytes);
        var before = StoreFiles.Snapshot(lab["out"]);

        var error = await CimConvertProgram.FailAsync(1, "export", block, lab["out"]);

        Assert.That(error, Does.Contain(region).And.Contains("with other content"));
        Assert.That(StoreFiles.Snapshot(lab["out"]), Is.EqualTo(before));
    }

    [TestCase("layer.bcim.partial", false)]
    [TestCase("Hives", true)]
    [TestCase("Hives/SYSTEM_BASE", false)]
    [TestCase("integrity_checksum.partial", false)]
    public async Task A_link_planted_where_an_import_writes_is_not_followed(string place, bool toDirectory)
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().WriteFile(folder["layer.tar"]);
        var victim = toDirectory ? folder.Sub("victim") : folder.Write("victim", "untouched"u8);
        Directory.CreateDirectory(Path.GetDirectoryName(folder["out", place])!);
        File.CreateSymbolicLink(folder["out", place], victim);

        var error = await CimConvertProgram.FailAsync(1, "import", tar, "--quiet", "--integrity", "--block", folder["out", "layer.bcim"]);

        Assert.That(error, Does.Contain("is a link").And.Contains(folder["out", place]));
        Assert.That(toDirectory ? Directory.EnumerateFileSystemEntries(victim) : [], Is.Empty);
        Assert.That(toDirectory ? "untouched" : await File.ReadAllTextAsync(victim), Is.EqualTo("untouched"));
        Assert.That(File.Exists(folder["out", "layer.bcim"]), Is.False);
    }

    [Test]
    public async Task A_staging_folder_that_is_a_link_is_replaced_and_its_target_left_alone()
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().WriteFile(folder["layer.tar"]);
        folder.Write("victim/mine", "untouched"u8);
        folder.Sub("out");
        File.CreateSymbolicLink(folder["out", "layer.bcim.staging"], folder["victim"]);

        await CimConvertProgram.SucceedAsync("import", tar, "--quiet", "--block", folder["out", "layer.bcim"]);

        Assert.That(StoreFiles.Relative(folder["victim"]), Is.EqualTo(new[] { "mine" }));
        Assert.That(Directory.Exists(folder["out", "layer.bcim.staging"]), Is.False);
    }

    [Test]
    public async Task Names_say_nothing_to_a_terminal()
    {
        using var lab = new CimLab();
        var block = lab.Write("names", w =>
        {
            w.File("red\u001b[31m", "x");
            w.Tombstone("gone\u001b]0;title\u0007");
        });

        var listed = await CimConvertProgram.SucceedAsync("ls", block);
        var extracted = await CimConvertProgram.SucceedAsync("extract", block, lab["out"]);
        var missing = await CimConvertProgram.FailAsync(1, "cat", block, "none\u001b[31m");

        Assert.That(listed.Output, Does.Contain("red?[31m").And.Not.Contains("\u001b"));
        Assert.That(extracted.Error, Does.Contain("gone?]0;title?: tombstone").And.Not.Contains("\u001b"));
        Assert.That(missing, Does.Contain("none?[31m"));
        Assert.That((await CimConvertProgram.SucceedAsync("ls", block, "--json")).Output, Does.Contain("red\\u001b[31m").IgnoreCase);
    }

    [TestCase("--max-layer-size=20000", "--max-layer-size allows more")]
    [TestCase("--max-entries=5", "--max-entries allows more")]
    public async Task A_layer_over_a_limit_is_refused_and_the_option_named(string option, string why)
    {
        using var folder = new TempFolder();
        var plain = WindowsImage.SmallBase().File("Files/zeros", new byte[100_000]).WriteFile(folder["layer.tar"]);
        var gzip = folder.Write("layer.tar.gz", WindowsImage.SmallBase().File("Files/zeros", new byte[100_000]).ToGzip());
        foreach (var tar in (string[])[plain, gzip])
        {
            var error = await CimConvertProgram.FailAsync(1, "import", tar, "--quiet", "--block", folder["out", "layer.bcim"], option);
            Assert.That(error, Does.StartWith($"error: {tar}: ").And.Contains(why).And.Not.Contains("damaged"));
            Assert.That(Directory.EnumerateFileSystemEntries(folder["out"]), Is.Empty);
        }
    }

    [TestCase("--max-layer-size=20000", "--max-layer-size allows more")]
    [TestCase("--max-entries=5", "--max-entries allows more")]
    public async Task A_layer_of_an_image_over_a_limit_is_named_and_nothing_of_it_kept(string option, string why)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = new ImageBuilder().Layer(WindowsImage.SmallBase().File("Files/zeros", new byte[100_000])).WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);

        var error = await CimConvertProgram.FailAsync(
            1, "convert", $"{registry.Host}/win/app:v1", "--plain-http", "--quiet", "--output", folder["store"], option);

        Assert.That(error, Does.Contain($"layer 1 of 1 ({image.Layers[0].Digest}): ").And.Contains(why).And.Not.Contains("damaged"));
        Assert.That(StoreFiles.Relative(folder["store"]), Is.EqualTo(new[] { "oci-layout" }));
    }

    [TestCase("/dev/zero")]
    [TestCase("/dev/null")]
    public async Task A_device_is_no_layer(string device)
    {
        if (!File.Exists(device))
        {
            Assert.Ignore("this system has none");
        }

        using var folder = new TempFolder();
        Assert.That(await CimConvertProgram.FailAsync(1, "import", device, "--quiet", "--block", folder["layer.bcim"]), Does.Contain("a device"));
    }

    [TestCase("--max-layer-size=0")]
    [TestCase("--max-layer-size=many")]
    [TestCase("--max-expansion=0")]
    [TestCase("--max-entries=-1")]
    public async Task A_limit_that_is_none_is_wrong_usage(string option) =>
        Assert.That(await CimConvertProgram.FailAsync(2, "import", "none.tar", "--block", "none", option), Does.Contain(option.Split('=')[1]));
}
