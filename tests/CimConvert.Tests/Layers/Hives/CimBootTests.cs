using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.Layers.Hives;
using CimConvert.Tests.Formats.Regf;
using NUnit.Framework;
using static CimConvert.Tests.Layers.Hives.BootHives;

namespace CimConvert.Tests.Layers.Hives;

/// <summary>
/// The two hives before and after, against values written down from the sources that CimBoot and BootDevice name. Bytes marked
/// as inferred there are held here to what was decided, not to what a Windows wrote.
/// </summary>
public class CimBootTests
{
    // Ids as they lie in memory: the first three fields little-endian.
    private const string Zeros = "00000000000000000000000000000000";
    private const string CimFsBytes = "ea9f3e762d504f43aad95fabe9c91a7b";
    private const string CompositeBytes = "207278e17fd1e749977ad8fe4c8537e2";
    private const string VmbusBytes = "df9b3cc6a55f0842b03f6b458b365592";
    private const string VolumeBytes = "4c4590b8de80984ea7ab56b74b4fbd0c";
    private const string DiskBytes = "00112233445566778899aabbccddeeff";
    private const string PartitionBytes = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    private static readonly Guid s_disk = new(Convert.FromHexString(DiskBytes));
    private static readonly Guid s_partition = new(Convert.FromHexString(PartitionBytes));

    [TestCase(Loader, "16000053", 3u, "01")]
    [TestCase(CimFs, "31000012", 3u, Zeros + "0700000000000000" + "4800000000000000" + Zeros + VmbusBytes + Zeros + "0000000000000000")]
    [TestCase(Composite, "3100000e", 3u, Zeros + "0600000000000000" + "4800000000000000" + PartitionBytes + "0000000000000000" + DiskBytes + Zeros)]
    [TestCase(Composite, "3100000f", 3u, CimFsBytes + "0b00000000000000" + "3000000000000000" + "02000000" + "000000000000000000000000" + VolumeBytes)]
    [TestCase(Loader, "11000001", 3u, CompositeBytes + "0a00000000000000" + "2c00000000000000" + Zeros + "000000000000000000000000")]
    [TestCase(Loader, "21000001", 3u, CompositeBytes + "0a00000000000000" + "2c00000000000000" + Zeros + "000000000000000000000000")]
    public void Devices_and_switches_are_set_byte_for_byte(string id, string element, uint type, string hex)
    {
        var value = ElementOf(Configure(HiveFiles.Read(BootStore())), id, element);
        Assert.That((value.Type, Convert.ToHexStringLower(value.Data.Span)), Is.EqualTo((type, hex)));
    }

    [Test]
    public void A_partition_has_the_bytes_of_a_published_dump()
    {
        // From 0x44 on in the first dump of a1ive/grub, issue 18: the partition that a RAM disk's file lies on.
        const string record =
            "06000000" + "00000000" + "48000000" + "00000000" +
            "14471fbbf24ac84796eb6f162b1b57ad" + "00000000" + "00000000" + "75fafa928acc6b45b08216c499fff0c1" + Zeros;
        var disk = new Guid("92fafa75-cc8a-456b-b082-16c499fff0c1");
        var partition = new Guid("bb1f4714-4af2-47c8-96eb-6f162b1b57ad");

        var store = CimBoot.ConfigureBoot(HiveFiles.Read(BootStore()), "x.cim", disk, partition);

        Assert.That(Convert.ToHexStringLower(ElementOf(store, Composite, "3100000e").Data.Span), Is.EqualTo(Zeros + record));
    }

    [TestCase(CimFs, "12000004", "CimFS Device Options")]
    [TestCase(CimFs, "32000011", @"\cim-layers\1.cim")]
    [TestCase(Composite, "12000004", "Composite Device Options")]
    [TestCase(Loader, "12000002", @"\UtilityVM\Files\Windows\System32\winload.efi")]
    [TestCase(Loader, "22000002", @"\UtilityVM\Files\Windows")]
    public void Names_and_paths_are_set_as_strings(string id, string element, string text)
    {
        var value = ElementOf(Configure(HiveFiles.Read(BootStore())), id, element);
        Assert.That((value.Type, Encoding.Unicode.GetString(value.Data.Span)), Is.EqualTo((1u, text + '\0')));
    }

    [Test]
    public void The_options_are_device_objects_and_nothing_else_changes()
    {
        var before = HiveFiles.Read(BootStore());
        var after = Configure(before);

        foreach (var id in new[] { CimFs, Composite })
        {
            var type = after.Find($@"Objects\{id}\Description", out _)!.FindValue("Type")!.Value;
            Assert.That((type.Type, Convert.ToHexStringLower(type.Data.Span)), Is.EqualTo((4u, "00000030")));
        }

        Assert.That(Objects(after), Is.EqualTo(new[] { Untouched, CimFs, Manager, Loader, Composite }));
        foreach (var same in new[] { "Description", $@"Objects\{Manager}", $@"Objects\{Untouched}", $@"Objects\{Loader}\Description", $@"Objects\{Loader}\Elements\250000e0" })
        {
            Assert.That(HiveFiles.Export(after, same), Is.EqualTo(HiveFiles.Export(before, same)), same);
        }

        Assert.That(after.Find($@"Objects\{Loader}\Elements", out _)!.Subkeys.Select(key => key.Name), Is.EqualTo(
            new[] { "11000001", "12000002", "12000004", "16000053", "21000001", "22000002", "250000e0" }));
    }

    [Test]
    public void Twice_is_as_good_as_once()
    {
        var once = Configure(HiveFiles.Read(BootStore()));
        Assert.That(HiveFiles.Write(Configure(HiveReader.Read(HiveFiles.Write(once)))), Is.EqualTo(HiveFiles.Write(once)));
        var system = CimBoot.PrepareSystem(HiveFiles.Read(SystemHive()));
        Assert.That(HiveFiles.Write(CimBoot.PrepareSystem(system)), Is.EqualTo(HiveFiles.Write(system)));
    }

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Other_tools_read_the_store()
    {
        using var tools = new HiveTools();
        var text = Encoding.UTF8.GetString(tools.Export(HiveFiles.Write(Configure(HiveFiles.Read(BootStore()))), $@"\Objects\{CimFs}"));
        Assert.That(text, Does.Contain($@"[\Objects\{CimFs}\Elements\31000012]"));
        Assert.That(text, Does.Contain("\"Element\"=hex(3):00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,07,00,00,00,00,00,00,00,48,00"));
        Assert.That(text, Does.Contain("\"Type\"=dword:30000000"));
    }

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void A_system_hive_gets_what_the_kernel_needs()
    {
        using var tools = new HiveTools();
        var system = CimBoot.PrepareSystem(HiveFiles.Read(SystemHive()));
        var hive = HiveFiles.Write(system);

        Assert.That(Text(system, @"ControlSet001\Control", "BootContainerGuid"), Is.EqualTo("{b890454c-80de-4e98-a7ab-56b74b4fbd0c}\0"));
        Assert.That(Text(system, "Setup", "BootPathOverride"), Is.EqualTo("\\Windows\\\0"));
        var services = Encoding.UTF8.GetString(tools.Export(hive, @"\ControlSet001\Services"));
        Assert.That(services, Does.Match(@"\\UnionFS\]\r?\n""Start""=dword:00000000"));
        Assert.That(services, Does.Match(@"\\wcifs\]\r?\n""ImagePath""=[^\n]+\n""Start""=dword:00000004"));
        Assert.That(services, Does.Match(@"\\Tcpip\]\r?\n""Start""=dword:00000001"));
    }

    [Test]
    public void Hives_of_another_kind_are_refused()
    {
        Assert.That(() => CimBoot.PrepareSystem(HiveFiles.Read(BootStore())), Throws.TypeOf<InvalidDataException>().With.Message.Contain("no SYSTEM hive"));
        Assert.That(() => Configure(HiveFiles.Read(SystemHive())), Throws.TypeOf<InvalidDataException>().With.Message.Contain("no default entry"));
        Assert.That(() => Configure(HiveFiles.Read(BootStore(defaultEntry: "nonsense"))), Throws.TypeOf<InvalidDataException>().With.Message.Contain("no default entry"));
        Assert.That(() => Configure(HiveFiles.Read(BootStore(defaultEntry: Composite))), Throws.TypeOf<InvalidDataException>().With.Message.Contain($"{Composite} is not in it"));
    }

    private static Hive Configure(Hive store) => CimBoot.ConfigureBoot(store, @"cim-layers\1.cim", s_disk, s_partition);

    private static HiveValue ElementOf(Hive store, string id, string element) =>
        store.Find($@"Objects\{id}\Elements\{element}", out _)!.FindValue("Element")!.Value;

    private static string Text(Hive hive, string key, string value)
    {
        var found = hive.Find(key, out _)!.FindValue(value)!.Value;
        Assert.That(found.Type, Is.EqualTo(1));
        return Encoding.Unicode.GetString(found.Data.Span);
    }

    private static IEnumerable<string> Objects(Hive store) => store.Find("Objects", out _)!.Subkeys.Select(key => key.Name);
}
