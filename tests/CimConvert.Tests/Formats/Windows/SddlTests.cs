using System.Buffers.Binary;
using System.Text;
using CimConvert.Formats.Windows;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Windows;

internal sealed class SddlTests
{
    /// <summary>
    /// Texts and what Windows' ConvertStringSecurityDescriptorToSecurityDescriptorW made of them, recorded on Windows:
    /// github.com/CloudSoda/sddl, testdata/single-perm and testdata/many-perms, the second line of each.
    /// </summary>
    [TestCase(
        "O:S-1-5-21-1886771222-1226956130-4148604499-1001G:S-1-5-21-1886771222-1226956130-4148604499-513D:(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;S-1-5-21-1886771222-1226956130-4148604499-1001)",
        "AQAEgGwAAACIAAAAAAAAABQAAAACAFgAAwAAAAAQFAD/AR8AAQEAAAAAAAUSAAAAABAYAP8BHwABAgAAAAAABSAAAAAgAgAAABAkAP8BHwABBQAAAAAABRUAAAAW2HVwYt0hSVOuRvfpAwAAAQUAAAAAAAUVAAAAFth1cGLdIUlTrkb36QMAAAEFAAAAAAAFFQAAABbYdXBi3SFJU65G9wECAAA=")]
    [TestCase(
        "O:S-1-5-21-1886771222-1226956130-4148604499-1001G:S-1-5-21-1886771222-1226956130-4148604499-513D:AI(D;;DCLCRPCR;;;S-1-5-21-1886771222-1226956130-4148604499-1002)(A;;0x1200a9;;;S-1-5-21-1886771222-1226956130-4148604499-1002)(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;S-1-5-21-1886771222-1226956130-4148604499-1001)",
        "AQAEhLQAAADQAAAAAAAAABQAAAACAKAABQAAAAEAJAAWAQAAAQUAAAAAAAUVAAAAFth1cGLdIUlTrkb36gMAAAAAJACpABIAAQUAAAAAAAUVAAAAFth1cGLdIUlTrkb36gMAAAAQFAD/AR8AAQEAAAAAAAUSAAAAABAYAP8BHwABAgAAAAAABSAAAAAgAgAAABAkAP8BHwABBQAAAAAABRUAAAAW2HVwYt0hSVOuRvfpAwAAAQUAAAAAAAUVAAAAFth1cGLdIUlTrkb36QMAAAEFAAAAAAAFFQAAABbYdXBi3SFJU65G9wECAAA=")]
    public void What_windows_makes_of_a_text_we_make(string text, string expected) =>
        Assert.That(Convert.ToBase64String(Parse(text)), Is.EqualTo(expected));

    [Test]
    public void Trusted_installers_descriptor_reads()
    {
        // What most files of a Windows layer have.
        var descriptor = Parse(
            "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464" +
            "D:PAI(A;;0x1200a9;;;SY)(A;;0x1200a9;;;BA)(A;;0x1200a9;;;BU)(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)(A;;0x1200a9;;;AC)S:AI(AU;SAFA;DCLCRPCRSDWDWO;;;WD)");
        Assert.That(SelfRelativeDescriptor.Validate(descriptor), Is.Null);
        Assert.That(Control(descriptor), Is.EqualTo(0x8000 | 0x1000 | 0x0400 | 0x0004 | 0x0800 | 0x0010));
    }

    [Test]
    public void The_sacl_comes_first_then_dacl_owner_and_group()
    {
        Assert.That(Convert.ToHexStringLower(Parse("O:SYG:WDD:S:")), Is.EqualTo(
            "0100148024000000300000001400000" + "01c000000" +
            "0200080000000000" + "0200080000000000" +
            "010100000000000512000000" + "010100000000000100000000"));
    }

    [TestCase("D:NO_ACCESS_CONTROL", 0x8004, 20)]
    [TestCase("D:PNO_ACCESS_CONTROL", 0x9004, 20)]
    [TestCase("D:P", 0x9004, 28)]
    [TestCase("D:ARAIP", 0x9504, 28)]
    [TestCase("S:PARAI", 0xaa10, 28)]
    [TestCase("", 0x8000, 20)]
    [TestCase(" O:SY ", 0x8000, 32)]
    [TestCase("G:S-1-5-18S:", 0x8010, 40)]
    [TestCase("O:S-1-0x050000000000-1D:", 0x8004, 40)]
    public void Flags_and_parts_are_told_apart(string text, int control, int length)
    {
        var descriptor = Parse(text);
        Assert.That((Control(descriptor), descriptor.Length), Is.EqualTo((control, length)));
        Assert.That(SelfRelativeDescriptor.Validate(descriptor), Is.Null);
    }

    [Test]
    public void Object_entries_carry_their_guids()
    {
        const string guid = "00299570-246d-11d0-a768-00aa006e0529";
        var acl = Convert.ToHexStringLower(Parse($"D:(OA;CI;CR;{guid};;SY)(OD;;CR;;{guid};SY)(OA;;CR;;;SY)")[20..]);
        const string guidHex = "70952900" + "6d24" + "d011" + "a76800aa006e0529";
        const string system = "010100000000000512000000";
        Assert.That(acl, Is.EqualTo(
            "0400" + "7000" + "0300" + "0000" +
            "0502" + "2800" + "00010000" + "01000000" + guidHex + system +
            "0600" + "2800" + "00010000" + "02000000" + guidHex + system +
            "0500" + "1800" + "00010000" + "00000000" + system));
    }

    [TestCase("S-1-5", "no sub-authority")]
    [TestCase("S-1-5-")]
    [TestCase("S-2-5-1")]
    [TestCase("S-1-281474976710656-1", "the authority has 48 bits")]
    [TestCase("S-1-0x1000000000000-1")]
    [TestCase("S-1-5-4294967296")]
    [TestCase("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", "sixteen")]
    [TestCase("DA", "a domain's")]
    [TestCase("LA", "a machine's")]
    [TestCase("??")]
    [TestCase("B")]
    public void What_is_no_sid_is_refused(string sid, string? why = null) =>
        Assert.That(() => Parse("O:" + sid), Throws.TypeOf<InvalidDataException>(), why);

    [TestCase("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15", 8 + 60)]
    [TestCase("S-1-281474976710655-1", 12)]
    [TestCase("S-1-5-4294967295", 12)]
    [TestCase("s-1-5-18", 12)]
    [TestCase("sy", 12)]
    public void The_largest_sids_read(string sid, int length) => Assert.That(Parse("O:" + sid), Has.Length.EqualTo(20 + length));

    [TestCase("X:SY")]
    [TestCase("O:SYO:SY")]
    [TestCase("junk")]
    [TestCase("D:(A;;FA;;;SY")]
    [TestCase("D:(A;;FA;;SY)")]
    [TestCase("D:(A;;FA;;;SY;)")]
    [TestCase("D:(Q;;FA;;;SY)")]
    [TestCase("D:(XA;;FA;;;SY)")]
    [TestCase("D:(A;QQ;FA;;;SY)")]
    [TestCase("D:(A;O;FA;;;SY)")]
    [TestCase("D:(A;;F;;;SY)")]
    [TestCase("D:(A;;0xg;;;SY)")]
    [TestCase("D:(A;;0x100000000;;;SY)")]
    [TestCase("D:(A;;FA;00299570-246d-11d0-a768-00aa006e0529;;SY)")]
    [TestCase("D:(OA;;FA;guid;;SY)")]
    [TestCase("D:NO_ACCESS_CONTROL(A;;FA;;;SY)")]
    [TestCase("D:Q")]
    public void What_is_no_descriptor_is_refused(string text) =>
        Assert.That(() => Parse(text), Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("a security descriptor"));

    [TestCase(3276, true)]
    [TestCase(3277, false)]
    public void Lists_end_at_64_kib(int entries, bool fits) =>
        Assert.That(() => Parse("D:" + string.Concat(Enumerable.Repeat("(A;;FA;;;SY)", entries))), fits ? Throws.Nothing : Throws.TypeOf<InvalidDataException>());

    [Test]
    public void Mutated_texts_read_to_valid_descriptors_or_fail_with_the_one_error()
    {
        const string good = "O:BAG:S-1-5-18D:PAI(A;OICI;FA;;;SY)(OD;;0x1200a9;00299570-246d-11d0-a768-00aa006e0529;;WD)S:(AU;SAFA;GA;;;AU)";
        var random = new Random(20261122);
        for (var round = 0; round < 5000; round++)
        {
            var bad = good.ToCharArray();
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                bad[random.Next(bad.Length)] = good[random.Next(good.Length)];
            }

            try
            {
                Assert.That(SelfRelativeDescriptor.Validate(Parse(new string(bad))), Is.Null);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    private static byte[] Parse(string text) => Sddl.Parse(Encoding.UTF8.GetBytes(text));

    private static int Control(byte[] descriptor) => BinaryPrimitives.ReadUInt16LittleEndian(descriptor.AsSpan(2));
}
