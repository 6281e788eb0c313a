using NUnit.Framework;

namespace CimConvert.Tests;

public class QuantitiesTests
{
    [TestCase("0", 0)]
    [TestCase("4096", 4096)]
    [TestCase("1B", 1)]
    [TestCase("500MB", 500_000_000)]
    [TestCase("500 mb", 500_000_000)]
    [TestCase("20GiB", 20L << 30)]
    [TestCase("3tib", 3L << 40)]
    [TestCase("2KB", 2000)]
    [TestCase("2KiB", 2048)]
    [TestCase("9223372036854775807", long.MaxValue)]
    [TestCase("8388607TiB", 8388607L << 40)]
    public void A_size_is_bytes(string text, long bytes) => Assert.That(Quantities.ParseSize(text), Is.EqualTo(bytes));

    [TestCase("")]
    [TestCase("GiB")]
    [TestCase("-1")]
    [TestCase("+1")]
    [TestCase("1.5GiB")]
    [TestCase("1G")]
    [TestCase("1 GiB ")]
    [TestCase("0x10")]
    [TestCase("9223372036854775808")]
    [TestCase("8388608TiB")]
    public void What_is_no_size_is_refused_with_an_example(string text) =>
        Assert.That(() => Quantities.ParseSize(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains($"'{text}' is no size").And.Message.Contains("20GiB"));

    [TestCase("0s", 0)]
    [TestCase("30s", 30)]
    [TestCase("15m", 900)]
    [TestCase("12h", 43_200)]
    [TestCase("30d", 2_592_000)]
    [TestCase("1D", 86_400)]
    public void A_duration_is_time(string text, long seconds) => Assert.That(Quantities.ParseDuration(text), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [TestCase("")]
    [TestCase("30")]
    [TestCase("-1d")]
    [TestCase("1w")]
    [TestCase("1.5h")]
    [TestCase("10675200d")]
    public void What_is_no_duration_is_refused_with_an_example(string text) =>
        Assert.That(() => Quantities.ParseDuration(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains($"'{text}' is no duration").And.Message.Contains("30d"));
}
