using CimConvert.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

internal sealed class UpcaseTableTests
{
    [TestCase('a', 'A')]
    [TestCase('z', 'Z')]
    [TestCase('é', 'É')]
    [TestCase('ÿ', 'Ÿ')]
    [TestCase('я', 'Я')]
    [TestCase('ω', 'Ω')]
    [TestCase('ς', 'ς', Description = "final sigma has no upper case of its own on NTFS")]
    [TestCase('ı', 'ı', Description = "dotless i is not I")]
    [TestCase('ß', 'ß')]
    [TestCase('_', '_')]
    [TestCase('1', '1')]
    [TestCase('ǆ', 'Ǆ')]
    [TestCase('ａ', 'Ａ')]
    public void Known_units_have_their_upper_case(char unit, char upper) =>
        Assert.That(UpcaseTable.Windows.Upper(unit), Is.EqualTo(upper));

    [Test]
    public void Surrogates_and_upper_case_letters_are_themselves()
    {
        var table = UpcaseTable.Windows;
        for (var unit = 0xd800; unit <= 0xdfff; unit++)
        {
            Assert.That(table.Upper((char)unit), Is.EqualTo((char)unit));
        }

        for (var unit = 0; unit < UpcaseTable.Length; unit++)
        {
            var upper = table.Upper((char)unit);
            Assert.That(table.Upper(upper), Is.EqualTo(upper), $"U+{unit:x4}: upper case is its own upper case");
        }
    }

    /// <summary>The runtime knows a later Unicode than NTFS' table: how often they differ is shown, the listed ones are the reason why.</summary>
    [Test]
    public void The_runtimes_casing_is_another()
    {
        var differing = Enumerable.Range(0, UpcaseTable.Length).Where(u => UpcaseTable.Windows.Upper((char)u) != char.ToUpperInvariant((char)u)).ToArray();
        TestContext.Out.WriteLine($"{differing.Length} units differ from char.ToUpperInvariant");
        Assert.That(new[] { 0x10d0, 0xa794, 0xab53 }, Is.SubsetOf(differing), "Georgian, Latin and Cherokee letters that got an upper case after 2009");
        Assert.That(differing.Where(u => u < 0x100), Is.SubsetOf(new[] { 0xb5 }), "the micro sign at most");
    }

    [Test]
    public void The_table_survives_its_bytes()
    {
        var bytes = UpcaseTable.Windows.ToBytes();
        Assert.That(bytes, Has.Length.EqualTo(0x20000));
        Assert.That((bytes['a' * 2], bytes[('a' * 2) + 1]), Is.EqualTo(((byte)'A', (byte)0)));
        Assert.That(UpcaseTable.FromBytes(bytes).ToBytes(), Is.EqualTo(bytes));
        Assert.That(() => UpcaseTable.FromBytes(bytes.AsSpan(1)), Throws.ArgumentException);
    }

    [TestCase("a", "A", 0)]
    [TestCase("a", "b", -1)]
    [TestCase("a", "ab", -1)]
    [TestCase("_", "a", 1, Description = "'_' is above the capitals that letters become")]
    [TestCase("^", "z", 1)]
    [TestCase("\ud800", "\uffff", -1, Description = "units, not code points")]
    [TestCase("\U0001f600", "\ufb01", -1)]
    public void Names_compare_unit_by_unit(string left, string right, int order)
    {
        Assert.That(Math.Sign(NameComparer.Instance.Compare(left, right)), Is.EqualTo(order));
        Assert.That(Math.Sign(NameComparer.Instance.Compare(right, left)), Is.EqualTo(-order));
        Assert.That(NameComparer.Instance.Equals(left, right), Is.EqualTo(order == 0));
    }

    [Test]
    public void Names_that_are_equal_have_one_hash_code_as_spans_too()
    {
        var comparer = NameComparer.Instance;
        Assert.That(comparer.GetHashCode("Dateién"), Is.EqualTo(comparer.GetHashCode("dATEIÉN")));
        Assert.That(comparer.GetHashCode("abc".AsSpan()), Is.EqualTo(comparer.GetHashCode("ABC")));
        Assert.That(comparer.Equals("abc".AsSpan(), "ABC"), Is.True);
        Assert.That(comparer.Equals("abc".AsSpan(), "ABCD"), Is.False);
    }
}
