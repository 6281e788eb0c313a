using CimConvert.Formats.Cim;
using CimConvert.Formats.Tar;
using CimConvert.Formats.Windows;
using CimConvert.Layers;
using CimConvert.Tests.Formats.Tar;
using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>PAX records to what a CIM keeps of a file.</summary>
internal sealed class EntryMetadataTests
{
    private const string EaPrefix = "MSWINDOWS.xattr.";

    [TestCase('5', null, 0x10u)]
    [TestCase('0', null, 0u)]
    [TestCase('2', null, 0x400u)]
    [TestCase('5', "32", 0x30u, Description = "a directory is one, whatever its attributes")]
    [TestCase('5', "1040", 0x10u, Description = "only links keep the reparse bit")]
    [TestCase('0', "1056", 0x20u)]
    [TestCase('2', "16", 0x410u)]
    [TestCase('0', "4294967279", 0xfffffbefu)]
    public void Attributes_follow_the_record_and_the_type(char type, string? record, uint expected) =>
        Assert.That(Read(type, Records("MSWINDOWS.fileattr", record)).Attributes, Is.EqualTo(expected));

    [TestCase("")]
    [TestCase("-1")]
    [TestCase("4294967296")]
    [TestCase("0x20")]
    [TestCase("16", Description = "a regular file cannot be a directory")]
    public void Attributes_that_cannot_be_are_refused(string record) =>
        Assert.That(() => Read('0', [("MSWINDOWS.fileattr", record)]), Throws.TypeOf<InvalidDataException>());

    [Test]
    public void Times_that_are_absent_or_empty_are_the_modification_time()
    {
        var file = Read('0', [("ctime", "")], mtime: 5);
        var five = PaxTime.UnixEpoch + 50_000_000;
        Assert.That(Times(file), Is.EqualTo((five, five, five, five)));
        file = Read('0', [("mtime", "1"), ("atime", "2"), ("ctime", "3"), ("LIBARCHIVE.creationtime", "4")], mtime: 5);
        var epoch = PaxTime.UnixEpoch;
        Assert.That(Times(file), Is.EqualTo((epoch + 40_000_000, epoch + 10_000_000, epoch + 30_000_000, epoch + 20_000_000)));
    }

    [Test]
    public void No_descriptor_is_one_that_lets_everyone_in()
    {
        const string nullDacl = "0100048000000000000000000000000000000000";
        Assert.That(Descriptor([]), Is.EqualTo(nullDacl));
        Assert.That(Descriptor([("MSWINDOWS.rawsd", "")]), Is.EqualTo(nullDacl));
        Assert.That(Descriptor([("MSWINDOWS.sd", "")]), Is.EqualTo(nullDacl));
        Assert.That(Descriptor([("MSWINDOWS.rawsd", ""), ("MSWINDOWS.sd", "O:SY")]), Is.EqualTo(nullDacl), "raw goes first");
    }

    [Test]
    public void Raw_goes_before_text_and_text_is_read_where_there_is_no_raw()
    {
        var raw = Convert.ToBase64String(Sddl.Parse("O:BA"u8));
        Assert.That(Descriptor([("MSWINDOWS.sd", "O:SY"), ("MSWINDOWS.rawsd", raw)]), Is.EqualTo(Convert.ToHexStringLower(Sddl.Parse("O:BA"u8))));
        Assert.That(Descriptor([("MSWINDOWS.sd", "O:SY")]), Is.EqualTo(Convert.ToHexStringLower(Sddl.Parse("O:SY"u8))));
    }

    [Test]
    public void Repeated_descriptors_are_decoded_once()
    {
        var raw = ("MSWINDOWS.rawsd", Convert.ToBase64String(Sddl.Parse("O:BA"u8)));
        using var tar = new TarReader(new TarBuilder().Add("a", pax: [raw]).Add("b", pax: [("MSWINDOWS.sd", "O:BA")]).Add("c", pax: [raw]).End().ToStream());
        var descriptors = new SecurityDescriptors();
        var seen = new List<ReadOnlyMemory<byte>>();
        while (tar.MoveNext())
        {
            seen.Add(descriptors.FromPax(tar));
        }

        Assert.That(seen[2], Is.EqualTo(seen[0]), "the same memory");
        Assert.That(seen[1].Span.SequenceEqual(seen[0].Span), Is.True);
    }

    [TestCase("!", "base64")]
    [TestCase("AQA", "base64")]
    [TestCase("AQA=", "shorter than 20")]
    public void Descriptors_that_do_not_decode_are_refused(string raw, string why) =>
        Assert.That(() => Read('0', [("MSWINDOWS.rawsd", raw)]), Throws.TypeOf<InvalidDataException>().With.Message.Contains(why));

    [Test]
    public void Extended_attributes_are_sorted_by_name_and_the_last_of_a_name_holds()
    {
        var ea = ExtendedAttribute(("b", [1, 2, 3]), ("A", []), ("a", [9]), ("b", [4, 5, 6, 7, 8]));
        Assert.That(ea, Is.EqualTo(
            "0c000000" + "00" + "01" + "0000" + "41" + "00" + "0000" +
            "0c000000" + "00" + "01" + "0100" + "61" + "00" + "09" + "00" +
            "00000000" + "00" + "01" + "0500" + "62" + "00" + "0405060708" + "00"));
    }

    [TestCase(ExtendedAttributes.MaxNameLength, true)]
    [TestCase(ExtendedAttributes.MaxNameLength + 1, false)]
    [TestCase(0, false)]
    public void Attribute_names_have_a_largest_length(int length, bool fits) =>
        Assert.That(() => ExtendedAttribute((new string('n', length), [1])), fits ? Throws.Nothing : Throws.TypeOf<InvalidDataException>());

    [TestCase(ExtendedAttributes.MaxSize - 3 - 10, true, Description = "entries end at a multiple of 4")]
    [TestCase(ExtendedAttributes.MaxSize - 3 - 9, false)]
    public void Attributes_have_a_largest_size(int valueLength, bool fits) =>
        Assert.That(() => ExtendedAttribute(("n", new byte[valueLength])), fits ? Throws.Nothing : Throws.TypeOf<InvalidDataException>());

    [Test]
    public void Attributes_together_have_the_same_largest_size() =>
        Assert.That(() => ExtendedAttribute(("a", new byte[40_000]), ("b", new byte[40_000])), Throws.TypeOf<InvalidDataException>());

    [Test]
    public void Attributes_must_be_base64_and_their_names_free_of_nul()
    {
        Assert.That(() => Read('0', [(EaPrefix + "n", "*")]), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => Read('0', [(EaPrefix + "n\0", "")]), Throws.TypeOf<InvalidDataException>());
    }

    private static (long, long, long, long) Times(CimFileMetadata file) =>
        (file.CreationTime, file.LastWriteTime, file.ChangeTime, file.LastAccessTime);

    private static (string, string)[] Records(string keyword, string? value) => value is null ? [] : [(keyword, value)];

    private static string Descriptor((string, string)[] records) => Convert.ToHexStringLower(Read('0', records).SecurityDescriptor.Span);

    private static string ExtendedAttribute(params (string Name, byte[] Value)[] attributes) => Convert.ToHexStringLower(
        Read('0', [.. attributes.Select(ea => (EaPrefix + ea.Name, Convert.ToBase64String(ea.Value)))]).ExtendedAttributes.Span);

    private static CimFileMetadata Read(char type, (string, string)[] records, long mtime = 0)
    {
        using var tar = new TarReader(new TarBuilder().Add("a", type, link: type == '2' ? "b" : "", pax: records, mtime: mtime).End().ToStream());
        Assert.That(tar.MoveNext(), Is.True);
        return EntryMetadata.Read(tar, new SecurityDescriptors());
    }
}
