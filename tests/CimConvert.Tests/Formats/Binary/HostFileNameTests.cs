using CimConvert.Formats.Binary;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Binary;

internal sealed class HostFileNameTests
{
    [TestCase("layer.cim")]
    [TestCase(".cim")]
    [TestCase("a b")]
    [TestCase("...x")]
    [TestCase("CONSOLE")]
    [TestCase("x.CON")]
    [TestCase("COM")]
    [TestCase("COM10")]
    [TestCase("LPTX")]
    [TestCase("AUX1")]
    [TestCase("\u00e9\ud83d\ude00")]
    [TestCase("region_01234567-89ab-cdef-0123-456789abcdef_0")]
    public void Plain_names_are_files_everywhere(string name) => Assert.That(HostFileName.Validate(name), Is.Null);

    [TestCase("", "empty")]
    [TestCase(".", "'.'")]
    [TestCase("..", "'..'")]
    [TestCase("a/b", "one of")]
    [TestCase(@"a\b", "one of")]
    [TestCase("/", "one of")]
    [TestCase(@"\\?\C:\x", "one of")]
    [TestCase(@"\\server\share", "one of")]
    [TestCase("C:x", "one of")]
    [TestCase("x:stream", "one of")]
    [TestCase("x*", "one of")]
    [TestCase("a\0", "one of")]
    [TestCase("a\u001f", "one of")]
    [TestCase("a\n", "one of")]
    [TestCase("a.", "space or a dot")]
    [TestCase("a ", "space or a dot")]
    [TestCase("...", "space or a dot")]
    [TestCase("CON", "device")]
    [TestCase("nul", "device")]
    [TestCase("aux.txt", "device")]
    [TestCase("prn.a.b", "device")]
    [TestCase("Con  .txt", "device")]
    [TestCase("com0", "device")]
    [TestCase("COM9.log", "device")]
    [TestCase("lpt\u00b3", "device")]
    [TestCase("CONIN$", "device")]
    [TestCase("conout$.x", "device")]
    public void Others_say_why_not(string name, string why) => Assert.That(HostFileName.Validate(name), Does.Contain(why));

    /// <summary>Not as arguments of a test case: attributes are stored as UTF-8, which cannot hold them.</summary>
    [Test]
    public void Half_a_surrogate_pair_is_no_text()
    {
        foreach (var name in (string[])["\ud800x", "x\ud800", "x\udc00", "\udc00\ud800", "\ud83d\ude00\ude00"])
        {
            Assert.That((HostFileName.Validate(name), HostFileName.IsText(name)), Is.EqualTo(("is not valid UTF-16", false)));
        }
    }

    [Test]
    public void A_name_has_255_units_at_most() => Assert.Multiple(() =>
    {
        Assert.That(HostFileName.Validate(new string('x', HostFileName.MaxLength)), Is.Null);
        Assert.That(HostFileName.Validate(new string('x', HostFileName.MaxLength + 1)), Does.Contain("255"));
    });
}
