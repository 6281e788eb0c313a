using System.Buffers.Binary;
using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>uvm</c>: the boot CIM of a base layer.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class UvmTests
{
    private static readonly EntryOptions s_kernel = new()
    {
        Attributes = FileAttributes.Hidden | FileAttributes.ReadOnly,
        Times = new EntryTimes("1500000000.1", "1500000001", "1500000002", "1500000003"),
        SecurityDescriptor = Descriptors.Administrators,
        ExtendedAttributes = [new ExtendedAttribute("$KERNEL.PURGE.X", [1, 2, 3])],
    };

    [Test]
    public async Task A_boot_cim_holds_what_the_layer_has_for_the_utility_vm([Values("tar", "tar.gz")] string ending)
    {
        using var folder = new TempFolder();
        var tar = folder.Write("base." + ending, ending == "tar" ? Base().ToArray() : Base().ToGzip());

        var made = await CimConvertProgram.JsonAsync("uvm", tar, "--dest", folder["boot"]);

        var block = folder["boot", "boot.bcim"];
        var listed = await CimConvertProgram.SucceedAsync("ls", block + "::boot.cim", "-R", "--json", "--hash");
        var verified = await CimConvertProgram.SucceedAsync("verify", block);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(OracleDiff.Compare(Expected(), ListedEntry.ParseLines(listed.Output)), Is.Empty);
            Assert.That(verified.Output, Is.EqualTo($"{block}: good\n"));
            Assert.That(StoreFiles.Names(folder["boot"]), Is.EqualTo(new[] { "boot.bcim", "integrity_checksum" }));
            Assert.That(ConvertJson.Names(made), Is.EqualTo(new[] { "path", "cimName", "size", "integrity", "filesSize", "entries", "backend" }));
            Assert.That(made.GetProperty("path").GetString(), Is.EqualTo(block));
            Assert.That(made.GetProperty("cimName").GetString(), Is.EqualTo("boot.cim"));
            Assert.That(made.GetProperty("size").GetInt64(), Is.EqualTo(new FileInfo(block).Length));
            Assert.That(made.GetProperty("integrity").GetString(), Is.EqualTo(await File.ReadAllTextAsync(folder["boot", "integrity_checksum"])));
            Assert.That(made.GetProperty("filesSize").GetInt64(), Is.EqualTo(300_000 + 4_000 + 8_192 + 5));
            Assert.That(made.GetProperty("entries").GetInt64(), Is.EqualTo(8));
            Assert.That(made.GetProperty("backend").GetString(), Is.EqualTo("managed"));
        }
    }

    [Test]
    public async Task The_same_layer_makes_the_same_bytes_under_a_vhd_footer()
    {
        var qemu = Tools.Require("qemu-img");
        using var folder = new TempFolder();
        var tar = Base().WriteFile(folder["base.tar"]);

        var said = await CimConvertProgram.SucceedAsync("uvm", tar, "--dest", folder["a", "deep"]);
        await CimConvertProgram.SucceedAsync("uvm", tar, "--dest", folder["b"]);

        var file = await File.ReadAllBytesAsync(folder["b", "boot.bcim"]);
        Assert.That(await File.ReadAllBytesAsync(folder["a", "deep", "boot.bcim"]), Is.EqualTo(file));
        Assert.That(said.Output, Does.StartWith(folder["a", "deep", "boot.bcim"] + ": ").And.Contain(" entries, "));
        var info = (await ExternalProcess.RunAsync(qemu, ["info", "-f", "vpc", "--output=json", folder["b", "boot.bcim"]])).EnsureSuccess();
        using var json = JsonDocument.Parse(info.OutputBytes);
        Assert.That(json.RootElement.GetProperty("format").GetString(), Is.EqualTo("vpc"));
        Assert.That(BinaryPrimitives.ReadInt64BigEndian(file.AsSpan(file.Length - 512 + 48)), Is.EqualTo(file.Length - 512));
    }

    [Test]
    public async Task A_failure_leaves_no_boot_cim_and_one_that_is_there_stays()
    {
        using var folder = new TempFolder();
        var child = new LayerBuilder().File("Files/x", "x").WriteFile(folder["child.tar"]);
        var dangling = Base().HardLink("UtilityVM/Files/lost", "Files/nowhere").WriteFile(folder["dangling.tar"]);
        var torn = folder.Write("torn.tar.gz", Base().ToGzip().AsSpan(0, 3_000));
        var good = Base().WriteFile(folder["base.tar"]);
        var wrong = new LayerBuilder().File("UtilityVM/Files/d", "file").File("UtilityVM/Files/d/x", "below").WriteFile(folder["wrong.tar"]);

        var none = await CimConvertProgram.FailAsync(1, "uvm", child, "--dest", folder["boot"]);
        var lost = await CimConvertProgram.FailAsync(1, "uvm", dangling, "--dest", folder["boot"]);
        var ended = await CimConvertProgram.FailAsync(1, "uvm", torn, "--dest", folder["boot"]);
        var below = await CimConvertProgram.FailAsync(1, "uvm", wrong, "--dest", folder["boot"]);
        Assert.That(Directory.Exists(folder["boot"]), Is.False);
        await CimConvertProgram.SucceedAsync("uvm", good, "--dest", folder["boot"]);
        var before = StoreFiles.Snapshot(folder.Path);
        var again = await CimConvertProgram.FailAsync(1, "uvm", good, "--dest", folder["boot"]);

        Assert.That(StoreFiles.Snapshot(folder.Path), Is.EqualTo(before));
        Assert.That(none, Is.EqualTo($@"error: {child}: the layer has no files in 'UtilityVM\Files': only base layers with a utility VM do"));
        Assert.That(lost, Does.Contain(@"its target 'Files\nowhere' is not in the layer"));
        Assert.That(ended, Does.Contain("gzip data"));
        Assert.That(below, Does.Contain("not a directory"));
        Assert.That(again, Does.Contain("exists already"));
        Assert.That(await CimConvertProgram.FailAsync(2, "uvm", good), Does.Contain("--dest"));
    }

    [Test]
    public async Task A_pipe_is_refused_because_the_layer_is_read_twice()
    {
        var shell = Tools.Require("sh");
        using var folder = new TempFolder();
        var tar = Base().WriteFile(folder["base.tar"]);

        var command = string.Join(' ', CimConvertProgram.CommandLine("uvm", "/dev/stdin", "--dest", folder["boot"]).Select(part => $"'{part}'"));
        var piped = await ExternalProcess.RunAsync(shell, ["-c", $"cat '{tar}' 2>/dev/null | {command}"]);

        Assert.That((piped.ExitCode, piped.Error), Is.EqualTo((1, "error: /dev/stdin: the input must be seekable, as a layer may be read more than once: save it to a file first\n")));
        Assert.That(Directory.Exists(folder["boot"]), Is.False);
    }

    /// <summary>A base layer as Microsoft's are: most of the utility VM's files are links to the container's, some over several steps.</summary>
    private static LayerBuilder Base() => new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
        .Directory("Files")
        .BaseHives()
        .File("Files/Windows/System32/ntoskrnl.exe", SeededContent.Bytes(11, 300_000), s_kernel)
        .AlternateStream("Files/Windows/System32/ntoskrnl.exe", "mark", [7, 8])
        .HardLink("Files/Windows/WinSxS/k/ntoskrnl.exe", "Files/Windows/System32/ntoskrnl.exe")
        .Directory("UtilityVM")
        .Directory("UtilityVM/Files")
        .Directory("UtilityVM/Files/Windows", s_kernel)
        .HardLink("UtilityVM/Files/Windows/System32/ntoskrnl.exe", "Files/Windows/WinSxS/k/ntoskrnl.exe")
        .HardLink("UtilityVM/Files/Windows/WinSxS/k/ntoskrnl.exe", "Files/Windows/System32/ntoskrnl.exe")
        .File("UtilityVM/Files/EFI/Microsoft/Boot/bootmgfw.efi", SeededContent.Bytes(12, 4_000))
        .HardLink("UtilityVM/Files/EFI/Boot/bootx64.efi", "UtilityVM/Files/EFI/Microsoft/Boot/bootmgfw.efi")
        .HardLink("UtilityVM/Files/EFI/Boot/again.efi", "UtilityVM/Files/EFI/Boot/bootx64.efi")
        .File("UtilityVM/Files/Windows/System32/config/SYSTEM", SeededContent.Bytes(13, 8_192))
        .File("UtilityVM/Files/Windows/small.ini", "small")
        .File("UtilityVM/SystemTemplateBase.vhdx", SeededContent.Bytes(14, 1_000));

    /// <summary>By the rules for whole layers: a copy has all that its file has, and of the layer's links those that are left are the boot CIM's.</summary>
    private static IReadOnlyList<OracleEntry> Expected()
    {
        var whole = new TarOracle().Add(Base().ToArray()).Entries();
        const string prefix = @"UtilityVM\Files\";
        return [.. whole.Where(entry => entry.Path.StartsWith(prefix, StringComparison.Ordinal)).Select(entry => entry with { Path = entry.Path[prefix.Length..] })];
    }
}
