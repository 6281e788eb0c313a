using System.Globalization;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Memory is bounded by configuration, never by a layer's size.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
public class MemoryTests
{
    private const long Megabyte = 1 << 20;
    private const long LimitKilobytes = 200 * 1024;

    [Test]
    [Category("Slow")]
    public async Task Importing_two_gigabytes_stays_below_200_megabytes()
    {
        var time = Tools.Require("time");
        using var folder = new TempFolder();
        var tar = TwoGigabytes().WriteFile(folder["layer.tar"]);
        Assert.That(new FileInfo(tar).Length, Is.GreaterThan(2048 * Megabyte));

        // The kernel's own count of the most the process ever had resident, taken when it ended.
        var result = await CimConvertProgram.RunUnderAsync([time, "-f", "%M", "-o", folder["peak"]], "import", tar, "--block", folder["layer.bcim"], "--quiet");
        result.EnsureSuccess();

        var peak = long.Parse(await File.ReadAllTextAsync(folder["peak"]), CultureInfo.InvariantCulture);
        await TestContext.Out.WriteLineAsync($"peak resident memory: {peak / 1024} MiB");
        Assert.That(new FileInfo(folder["layer.bcim"]).Length, Is.GreaterThan(2048 * Megabyte));
        Assert.That(peak, Is.LessThan(LimitKilobytes));
    }

    /// <summary>One file of a gigabyte, hundreds of a few megabytes, and many thousands too small for a page.</summary>
    private static LayerBuilder TwoGigabytes()
    {
        var layer = WindowsImage.SmallBase();
        layer.File("Files/huge", 1024 * Megabyte, () => new StampedContent(1, 1024 * Megabyte));
        for (var i = 0; i < 300; i++)
        {
            var (seed, size) = (i + 2, (3 * Megabyte) + (i * 1000));
            layer.File($"Files/{i % 17:00}/large-{i:000}", size, () => new StampedContent(seed, size));
        }

        for (var i = 0; i < 40_000; i++)
        {
            var (seed, size) = (i + 1000, 500 + (i % 4000));
            layer.File($"Files/{i % 97:00}/small/{i:00000}", size, () => new StampedContent(seed, size));
        }

        return layer;
    }
}
