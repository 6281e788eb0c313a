using System.Globalization;
using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Binary;
using CimConvert.Layers;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Servers;
using NUnit.Framework;
using TarBuilder = CimConvert.Tests.Formats.Tar.TarBuilder;

namespace CimConvert.Tests.Cli.Hostile;

/// <summary>Layers that are small as they are downloaded, and large as they are unpacked.</summary>
[Category(Categories.Slow)]
internal sealed class BombTests
{
    private const long Size = 256 << 20;
    private const long LimitKilobytes = 200 * 1024;
    private const int HeaderSize = 512;

    /// <summary>Of a lying tar no more is read than the reader's buffer, and the header after the lie.</summary>
    private const long EarlyEnough = 4 << 20;

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public async Task Zeros_take_neither_memory_nor_disk()
    {
        var time = Tools.Require("time");
        using var folder = new TempFolder();
        var image = Write(folder, fill: 0, Header(Size));
        Assert.That(image.Layers[1].Size, Is.LessThan(Size / 50), "it is a bomb");

        var result = await CimConvertProgram.RunUnderAsync([time, "-f", "%M", "-o", folder["peak"]], "convert", $"oci:{folder["image"]}", "--output", folder["store"], "--quiet");

        result.EnsureSuccess();
        Assert.That(long.Parse(await File.ReadAllTextAsync(folder["peak"]), CultureInfo.InvariantCulture), Is.LessThan(LimitKilobytes));
        Assert.That(StoreFiles.Relative(folder["store"]).Sum(file => new FileInfo(Path.Combine(folder["store"], file)).Length), Is.LessThan(Size / 50));
    }

    [Test]
    public async Task Content_ends_at_the_disk_budget()
    {
        using var folder = new TempFolder();
        Write(folder, fill: (byte)'x', Header(Size));
        var list = PrewarmTests.WriteList(folder, "store", [$"oci:{folder["image"]}"], "disk: {maxStore: 64MiB}", "retryBudget: 0");

        var (exitCode, error) = await InProcess.RunAsync("prewarm", list, "--quiet", "--json", "--report", folder["report"]);

        Assert.That(exitCode, Is.EqualTo(1), error);
        Assert.That(await File.ReadAllTextAsync(folder["report"]), Does.Contain("layer 2 of 2").And.Contain("the disk budget is used up"));
        Assert.That(StoreFiles.Names(folder["store"], "layers"), Has.Count.LessThanOrEqualTo(1));
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
    }

    [TestCase("header", "wrong header checksum")]
    [TestCase("PAX", "wrong header checksum")]
    public async Task A_tar_that_says_it_has_less_is_refused(string where, string message)
    {
        var header = where == "PAX" ? Header(Size, new TarBuilder().Pax('x', ("size", "8"))) : Header(8);
        using var folder = new TempFolder();
        Write(folder, fill: (byte)'x', header);

        var (exitCode, error) = await InProcess.RunAsync("convert", $"oci:{folder["image"]}", "--output", folder["store"], "--quiet");

        Assert.That(exitCode, Is.EqualTo(1), error);
        Assert.That(error, Does.StartWith($"error: oci:{folder["image"]}: layer 2 of 2 (").And.Contains("tar header at offset").And.Contains(message));
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
    }

    [Test]
    public async Task Zeros_that_lie_behind_the_end_are_refused()
    {
        using var folder = new TempFolder();
        Write(folder, fill: 0, Header(8));

        var (exitCode, error) = await InProcess.RunAsync("convert", $"oci:{folder["image"]}", "--output", folder["store"], "--quiet");

        Assert.That(exitCode, Is.EqualTo(1), error);
        Assert.That(error, Does.StartWith($"error: oci:{folder["image"]}: layer 2 of 2 (").And.Contains("bytes after the archive's end at offset"));
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
    }

    [TestCase(-1000)]
    [TestCase(1000)]
    public async Task A_descriptor_of_another_size_is_refused(int difference)
    {
        using var folder = new TempFolder();
        var image = new HostileImage();
        image.DescriptorChanges.Add(descriptor => descriptor["size"] = descriptor["size"]!.GetValue<int>() + difference);
        image.TarChanges.Add(tar => [.. tar, .. new byte[1 << 20]]);
        image.WriteTo(folder.Sub("image"));

        var (exitCode, error) = await InProcess.RunAsync("convert", $"oci:{folder["image"]}", "--output", folder["store"], "--quiet");

        Assert.That(exitCode, Is.EqualTo(1), error);
        Assert.That(error, Does.Contain("layer 2 of 2 (").And.Contains("bytes where"));
    }

    [TestCase(8)]
    [TestCase(1000)]
    public void A_tar_that_lies_is_not_read_on(long stated)
    {
        using var folder = new TempFolder();
        using var layer = new Layers.LayerFolder();
        using var tar = new Endless(Header(stated));
        using var image = new ManagedBackend().Create(folder["layer.bcim"], "layer.cim", new BlockCimOptions());

        Assert.That(
            () => LayerImport.Run(tar, image, new LayerImportOptions { IsBase = false, LayerFolder = layer.Path }, CancellationToken.None),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("wrong header checksum"));
        Assert.That(tar.Position, Is.LessThan(EarlyEnough));
    }

    private static byte[] Header(long size, TarBuilder? before = null) => (before ?? new TarBuilder()).Header("Files/zeros"u8, '0', size).ToArray();

    /// <summary>A sound base layer, and one of a header with much behind it.</summary>
    private static OciImage Write(TempFolder folder, byte fill, byte[] header) => new ImageBuilder()
        .Layer(WindowsImage.SmallBase())
        .Layer(
            tar =>
            {
                tar.Write(header);
                var block = new byte[1 << 20];
                block.AsSpan().Fill(fill);
                for (var left = Size; left > 0; left -= block.Length)
                {
                    tar.Write(block);
                }

                tar.Write(new byte[2 * HeaderSize]);
            },
            LayerCompression.Gzip,
            LayerFault.None)
        .WriteTo(folder["image"]);

    /// <summary>A beginning, and then the same byte for ever.</summary>
    private sealed class Endless(byte[] start) : ForwardStream
    {
        private long _position;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            buffer.Fill((byte)'x');
            if (_position < start.Length)
            {
                start.AsSpan((int)_position)[..Math.Min(buffer.Length, start.Length - (int)_position)].CopyTo(buffer);
            }

            _position += buffer.Length;
            return buffer.Length;
        }
    }
}
