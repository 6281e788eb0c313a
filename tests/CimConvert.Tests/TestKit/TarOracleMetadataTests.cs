using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

/// <summary>What the oracle says of a single entry. Byte values marked so are from a trace of Microsoft's importer.</summary>
public class TarOracleMetadataTests
{
    private const string NullDacl = "0100048000000000000000000000000000000000";

    [TestCase(0u, 0x80u)]
    [TestCase(0x80u, 0x80u)]
    [TestCase(0x20u, 0x20u)]
    [TestCase(0x227u, 0x227u)]
    [TestCase(0x2000u | 0x100u | 0x800u | 1u, 1u, Description = "not indexed, temporary and compressed have no bit in a CIM")]
    [TestCase(0x400u, 0x80u, Description = "only links are reparse points")]
    public void File_attributes_are_what_a_cim_can_hold(uint given, uint expected) =>
        Assert.That(One(new LayerBuilder().File("a", "", With(given))).Attributes, Is.EqualTo(expected));

    [Test]
    public void Directory_attributes_keep_the_directory_bit()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(One(new LayerBuilder().Directory("a")).Attributes, Is.EqualTo(0x10u));
            Assert.That(One(new LayerBuilder().Directory("a", With(0x16))).Attributes, Is.EqualTo(0x16u));
            Assert.That(One(new LayerBuilder().Directory("a", new EntryOptions { Plain = true })).Attributes, Is.EqualTo(0x10u));
        }
    }

    [TestCase(0x410u, 0x410u)]
    [TestCase(0x10u, 0x410u)]
    [TestCase(0x420u, 0x420u)]
    [TestCase(0u, 0x400u)]
    public void A_symlink_is_a_directory_or_a_file_as_its_attributes_say(uint given, uint expected)
    {
        OracleEntry entry = One(new LayerBuilder().Symlink("a", "b", With(given)));

        Assert.That((entry.Type, entry.Attributes), Is.EqualTo(("symlink", expected)));
    }

    // The first three: trace of Microsoft's importer.
    [TestCase(@"C:\Users", true, "030000a034000000000018001a0010005c003f003f005c0043003a005c0055007300650072007300000043003a005c00550073006500720073000000")]
    [TestCase(@"..\Users\Public", false, "0c0000a04c00000000001e0020001e00010000002e002e005c00550073006500720073005c005000750062006c006900630000002e002e005c00550073006500720073005c005000750062006c00690063000000")]
    [TestCase(@"\\server\share\x", false, "0c0000a05c00000000002c002e002000000000005c003f003f005c0055004e0043005c007300650072007600650072005c00730068006100720065005c00780000005c005c007300650072007600650072005c00730068006100720065005c0078000000")]
    [TestCase(@"\\?\c:\a", false, "0c0000a0300000000000100012001000000000005c003f003f005c0063003a005c00610000005c005c003f005c0063003a005c0061000000")]
    [TestCase("a/b", false, "0c0000a01c000000000006000800060001000000" + "61005c0062000000" + "61005c0062000000")]
    public void Reparse_buffers_are_laid_as_windows_lays_them(string target, bool mountPoint, string expected)
    {
        LayerBuilder layer = mountPoint ? new LayerBuilder().MountPoint("a", target) : new LayerBuilder().Symlink("a", target);

        OracleEntry entry = One(layer);

        Assert.That((entry.Type, entry.Reparse), Is.EqualTo((mountPoint ? "mountpoint" : "symlink", expected)));
    }

    [Test]
    public void Extended_attributes_are_chained_and_sorted_by_name()
    {
        // One alone: trace of Microsoft's importer. Two: by hand.
        byte[] value = [.. Enumerable.Range(0, 40).Select(i => (byte)i)];
        string one = One(new LayerBuilder().File("a", "", Eas(new ExtendedAttribute("$KERNEL.PURGE.ESBCACHE", value)))).Ea;
        string two = One(new LayerBuilder().File("a", "", Eas(new ExtendedAttribute("BB", [1]), new ExtendedAttribute("A", [2, 3, 4])))).Ea;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(one, Is.EqualTo("0000000000162800244b45524e454c2e50555247452e45534243414348450000" + "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262700"));
            Assert.That(two, Is.EqualTo("10000000" + "0001" + "0300" + "4100" + "020304000000" + "00000000" + "0002" + "0100" + "424200" + "01"));
        }
    }

    [TestCase("1700000000.0000009", 133444736000000009)]
    [TestCase("1700000000.00000099999", 133444736000000009)]
    [TestCase("0", 116444736000000000)]
    [TestCase("-1.5", 116444735985000000)]
    [TestCase("-0.00000019", 116444735999999999)]
    [TestCase("1.", 116444736010000000)]
    public void Times_are_cut_to_100_ns(string text, long expected) =>
        Assert.That(One(new LayerBuilder().File("a", "", new EntryOptions { Times = new EntryTimes(text) })).LastWriteTime, Is.EqualTo(expected));

    [Test]
    public void Absent_times_are_the_modification_time_and_without_records_the_headers()
    {
        OracleEntry only = One(new LayerBuilder().File("a", "", new EntryOptions { Times = new EntryTimes("5.5") }));
        OracleEntry plain = One(new LayerBuilder().File("a", "", new EntryOptions { Plain = true }));
        OracleEntry all = One(new LayerBuilder().File("a", "", new EntryOptions { Times = new EntryTimes("1", "2", "3", "4") }));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Times(only), Is.EqualTo(new[] { 116444736055000000, 116444736055000000, 116444736055000000, 116444736055000000 }));
            Assert.That(Times(plain), Is.All.EqualTo(133444736010000000));
            Assert.That(Times(all), Is.EqualTo(new[] { 116444736040000000, 116444736010000000, 116444736030000000, 116444736020000000 }));
        }

        static long[] Times(OracleEntry entry) => [entry.CreationTime, entry.LastWriteTime, entry.ChangeTime, entry.LastAccessTime];
    }

    [Test]
    public void Descriptors_come_from_rawsd_then_sddl_then_are_the_null_dacl()
    {
        // The SDDL says what the raw descriptor says, so the parts must be the same; only their order may differ.
        OracleEntry none = One(new LayerBuilder().File("a", ""));
        OracleEntry both = One(new LayerBuilder().File("a", "", new EntryOptions { SecurityDescriptor = Descriptors.Administrators, Sddl = "O:SY" }));
        OracleEntry sddl = One(new LayerBuilder().File("a", "", new EntryOptions { Sddl = "O:BAG:BAD:(A;;GA;;;SY)(A;;FA;;;BA)" }));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(none.Sd, Is.EqualTo(NullDacl));
            Assert.That(both.Sd, Is.EqualTo(Convert.ToHexStringLower(Descriptors.Administrators)));
            Assert.That(sddl.Sd, Is.EqualTo(
                "01000480" + "48000000" + "58000000" + "00000000" + "14000000"
                + "0200340002000000" + "0000140000000010" + "010100000000000512000000" + "00001800ff011f00" + "01020000000000052000000020020000"
                + "01020000000000052000000020020000" + "01020000000000052000000020020000"));
        }
    }

    [Test]
    public void Sddl_knows_flags_numbers_and_audit_lists()
    {
        OracleEntry entry = One(new LayerBuilder().File("a", "", new EntryOptions { Sddl = "D:PAI(D;OICI;0x3;;;S-1-5-21-7)S:AR(AU;SAFA;3;;;WD)" }));

        Assert.That(entry.Sd, Is.EqualTo(
            "01001496" + "00000000" + "00000000" + "14000000" + "30000000"
            + "02001c0001000000" + "02c0140003000000" + "010100000000000100000000"
            + "0200200001000000" + "0103180003000000" + "01020000000000051500000007000000"));
    }

    [Test]
    public void Global_records_hold_until_an_entry_says_otherwise()
    {
        IReadOnlyList<OracleEntry> entries = Entries(new LayerBuilder()
            .GlobalPax(KeyValuePair.Create("MSWINDOWS.fileattr", "2"))
            .File("a", "", new EntryOptions { Plain = true })
            .File("b", "", With(4)));

        Assert.That(entries.Select(entry => entry.Attributes), Is.EqualTo(new[] { 2u, 4u }));
    }

    internal static IReadOnlyList<OracleEntry> Entries(params LayerBuilder[] layers)
    {
        TarOracle oracle = new() { StandardFiles = false };
        foreach (LayerBuilder layer in layers)
        {
            oracle.Add(layer.ToArray());
        }

        return oracle.Entries();
    }

    private static OracleEntry One(LayerBuilder layer) => Entries(layer).Single();

    private static EntryOptions With(uint attributes) => new() { Attributes = (FileAttributes)attributes };

    private static EntryOptions Eas(params ExtendedAttribute[] attributes) => new() { ExtendedAttributes = attributes };
}
