using CimConvert.Storage;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Storage;

public class FileComparisonTests
{
    private const int BufferSize = 256 * 1024;

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(BufferSize)]
    [TestCase(BufferSize + 1)]
    public void Finds_a_difference_in_the_last_byte_and_in_length(int length)
    {
        using var folder = new TempFolder();
        var content = new byte[length];
        var (first, second) = (folder.Write("first", content), folder.Write("second", content));
        Assert.That(FileComparison.AreEqual(first, second), Is.True);
        Assert.That(FileComparison.AreEqual(new MemoryStream(content), new MemoryStream(content)), Is.True);

        byte[] longer = [.. content, 0];
        Assert.That(FileComparison.AreEqual(first, folder.Write("longer", longer)), Is.False);
        Assert.That(FileComparison.AreEqual(new MemoryStream(content), new MemoryStream(longer)), Is.False);

        if (length > 0)
        {
            content[^1] = 1;
            Assert.That(FileComparison.AreEqual(first, folder.Write("changed", content)), Is.False);
        }
    }
}
