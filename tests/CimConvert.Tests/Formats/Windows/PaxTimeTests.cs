using System.Text;
using CimConvert.Formats.Windows;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Windows;

internal sealed class PaxTimeTests
{
    [TestCase("0", 116_444_736_000_000_000)]
    [TestCase("1700000001.1234567", 133_444_736_011_234_567)]
    [TestCase("1700000000.0000009", 133_444_736_000_000_009)]
    [TestCase("1700000002.5", 133_444_736_025_000_000)]
    [TestCase("1.", 116_444_736_010_000_000)]
    [TestCase("1.99999999999999999999", 116_444_736_019_999_999, Description = "cut, not rounded")]
    [TestCase("-1.5", 116_444_735_985_000_000)]
    [TestCase("-0.5", 116_444_735_995_000_000)]
    [TestCase("-0.00000009", 116_444_736_000_000_000, Description = "towards 1970, as hcsshim divides")]
    [TestCase("-11644473600", 0)]
    [TestCase("-11644473599.9999999", 1)]
    [TestCase("6802270473.709551616", 184_467_440_737_095_516, Description = "what Microsoft's writer makes of an unset FILETIME")]
    [TestCase("910692730085.4775807", long.MaxValue)]
    public void Times_become_filetimes(string text, long expected) =>
        Assert.That(PaxTime.ToFileTime(Encoding.UTF8.GetBytes(text)), Is.EqualTo(expected));

    [TestCase("-11644473600.0000001")]
    [TestCase("910692730085.4775808")]
    [TestCase("9223372036854775807")]
    [TestCase("-9223372036854775807.9999999")]
    public void Times_that_windows_cannot_hold_are_refused(string text) =>
        Assert.That(() => PaxTime.ToFileTime(Encoding.UTF8.GetBytes(text)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("FILETIME"));

    [TestCase("")]
    [TestCase("-")]
    [TestCase(".5")]
    [TestCase("+1")]
    [TestCase("--1")]
    [TestCase("1.5.5")]
    [TestCase("1.-5")]
    [TestCase("1e5")]
    [TestCase(" 1")]
    [TestCase("1,5")]
    [TestCase("0x10")]
    [TestCase("99999999999999999999")]
    public void What_is_no_time_is_refused(string text) =>
        Assert.That(() => PaxTime.ToFileTime(Encoding.UTF8.GetBytes(text)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("seconds[.fraction]"));

    [Test]
    public void Whole_seconds_of_headers_are_checked_too()
    {
        Assert.That(PaxTime.ToFileTime(-11_644_473_600), Is.Zero);
        Assert.That(() => PaxTime.ToFileTime(-11_644_473_601), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => PaxTime.ToFileTime(long.MinValue), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => PaxTime.ToFileTime(long.MaxValue), Throws.TypeOf<InvalidDataException>());
    }
}
