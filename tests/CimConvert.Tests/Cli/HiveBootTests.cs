using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit;
using CimConvert.TestKit.Hives;
using CimConvert.Tests.Layers.Hives;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>hive configure-boot</c> and <c>hive prepare-system</c>, as processes.</summary>
[Category(Categories.Process)]
public class HiveBootTests
{
    private const string Disk = "{3f2504e0-4f89-11d3-9a0c-0305e82c3301}";
    private const string Partition = "5c60f367-a505-419a-859e-2a4ff6ca6fe5";

    [Test]
    public async Task A_boot_configuration_is_changed_into_a_new_file()
    {
        using var folder = new TempFolder();
        var store = new HiveBuilder(BootHives.BootStore()).Build();
        var bcd = folder.Write("BCD", store);

        var made = await CimConvertProgram.JsonAsync(
            "hive", "configure-boot", bcd, "--cim", @"cim-layers\7.cim", "--disk", Disk, "--partition", Partition, "--output", folder["new"]);

        Assert.That(ConvertJson.Names(made), Is.EqualTo(new[] { "path", "size" }));
        Assert.That((made.GetProperty("path").GetString(), made.GetProperty("size").GetInt64()), Is.EqualTo((folder["new"], new FileInfo(folder["new"]).Length)));
        Assert.That(await File.ReadAllBytesAsync(bcd), Is.EqualTo(store));
        Assert.That(await TextAsync(folder["new"], $@"Objects\{BootHives.CimFs}\Elements\32000011", "Element"), Is.EqualTo("\\cim-layers\\7.cim\0"));
        var device = HiveReader.Read(await File.ReadAllBytesAsync(folder["new"])).Find($@"Objects\{BootHives.Composite}\Elements\3100000e", out _)!;
        Assert.That(
            device.FindValue("Element")!.Value.Data[32..].ToArray(),
            Is.EqualTo(new Guid(Partition).ToByteArray().Concat(new byte[8]).Concat(new Guid(Disk).ToByteArray()).Concat(new byte[16])));
    }

    [Test]
    public async Task A_system_hive_is_changed_into_a_new_file()
    {
        using var folder = new TempFolder();
        var system = folder.Write("SYSTEM", new HiveBuilder(BootHives.SystemHive()).Build());

        var said = await CimConvertProgram.SucceedAsync("hive", "prepare-system", system, "-o", folder["new"]);

        Assert.That(said.Output, Does.StartWith(folder["new"] + ": "));
        Assert.That(await TextAsync(folder["new"], "Setup", "BootPathOverride"), Is.EqualTo("\\Windows\\\0"));
    }

    [Test]
    public async Task What_cannot_be_done_is_said_and_leaves_nothing()
    {
        using var folder = new TempFolder();
        var bcd = folder.Write("BCD", new HiveBuilder(BootHives.BootStore()).Build());
        string[] options = ["--cim", "x.cim", "--disk", Disk, "--partition", Partition];

        var other = await CimConvertProgram.FailAsync(1, "hive", "prepare-system", bcd, "-o", folder["new"]);
        var missing = await CimConvertProgram.FailAsync(1, ["hive", "configure-boot", folder["nowhere"], "-o", folder["new"], .. options]);
        var there = await CimConvertProgram.FailAsync(1, ["hive", "configure-boot", bcd, "-o", bcd, .. options]);
        var id = await CimConvertProgram.FailAsync(2, "hive", "configure-boot", bcd, "-o", folder["new"], "--cim", "x.cim", "--disk", "sda", "--partition", Partition);

        Assert.That(StoreFiles.Names(folder.Path), Is.EqualTo(new[] { "BCD" }));
        Assert.That(other, Is.EqualTo($"error: '{bcd}': the hive has no key 'ControlSet001': it is no SYSTEM hive"));
        Assert.That(missing, Does.Contain(folder["nowhere"]));
        Assert.That(there, Does.Contain("exists already"));
        Assert.That(id, Does.Contain("'sda' is no GUID"));
    }

    private static async Task<string> TextAsync(string hive, string key, string value) =>
        Encoding.Unicode.GetString((await CimConvertProgram.SucceedAsync("hive", "cat", hive, key, value)).OutputBytes);
}
