using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Vhd;
using CimConvert.TestKit;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Vhd;

internal sealed class VhdFooterTests
{
    [Test]
    public void The_footer_is_laid_out_as_specified()
    {
        var id = SeededContent.Bytes(1, 32);
        var expected = new byte[512];
        "conectix"u8.CopyTo(expected);
        new byte[] { 0, 0, 0, 2, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }.CopyTo(expected, 8);
        new byte[] { 0, 0x0a, 0, 0 }.CopyTo(expected, 32);
        new byte[] { 0, 0, 0, 0x12, 0x34, 0x56, 0x70, 0 }.CopyTo(expected, 40);
        new byte[] { 0, 0, 0, 0x12, 0x34, 0x56, 0x70, 0 }.CopyTo(expected, 48);
        expected[63] = 2;
        id.AsSpan(0, 16).CopyTo(expected.AsSpan(68));
        var sum = expected.Aggregate(0u, (all, b) => all + b);
        new[] { (byte)(~sum >> 24), (byte)(~sum >> 16), (byte)(~sum >> 8), (byte)~sum }.CopyTo(expected, 64);
        ByteAssert.Equal(expected, VhdFooter.Create(0x12_3456_7000, id));
    }

    [TestCase(false)]
    [TestCase(true)]
    [Category(Categories.Process), Category(Categories.Tools)]
    public async Task Qemu_reads_a_footed_block_file(bool integrity)
    {
        var qemu = Tools.Require("qemu-img");
        using var lab = new CimLab();
        var image = Write(lab["layer.bcim"], new BlockCimOptions(integrity, VhdFooter: true));
        (await ExternalProcess.RunAsync(qemu, ["info", "-f", "vpc", image.Path])).EnsureSuccess();

        // The footer has no geometry, as Microsoft's has none; unless told to take the size field, qemu computes 0 from it.
        string[] bySize = ["info", "--output=json", "--image-opts", $"driver=vpc,force_size_calc=current_size,file.filename={image.Path}"];
        var info = (await ExternalProcess.RunAsync(qemu, bySize)).EnsureSuccess().Output;
        var size = System.Text.Json.JsonDocument.Parse(info).RootElement.GetProperty("virtual-size").GetInt64();
        Assert.That((size, size + 512), Is.EqualTo((image.Size - 512, new FileInfo(image.Path).Length)));
        using var opened = OpenCim.Open(image.Path, []);
        CimVerification.Run(opened, image.Path, image.IntegrityRoot, CancellationToken.None);
    }

    [Test]
    public void The_id_follows_from_the_content_and_a_changed_footer_is_found()
    {
        using var lab = new CimLab();
        var options = new BlockCimOptions(VhdFooter: true);
        var (one, two) = (Write(lab["1"], options), Write(lab["2"], options));
        FileContentAssert.Equal(one.Path, two.Path);
        foreach (var at in new[] { 0, 8, 40, 64, 68, 511 })
        {
            Corrupter.FlipByteAt(one.Path, one.Size - 512 + at);
            using (var image = OpenCim.Open(one.Path, []))
            {
                Assert.That(
                    () => CimVerification.Run(image, one.Path, null, CancellationToken.None),
                    Throws.TypeOf<InvalidDataException>().With.Message.Contains("VHD footer"),
                    $"byte {at}");
            }

            Corrupter.FlipByteAt(one.Path, one.Size - 512 + at);
        }

        var bytes = File.ReadAllBytes(two.Path);
        File.WriteAllBytes(two.Path, bytes[..^512]);
        Assert.That(() => OpenCim.Open(two.Path, []), Throws.TypeOf<InvalidDataException>(), "a footer that is promised must be there");
    }

    private static CommittedCim Write(string path, BlockCimOptions options)
    {
        using var writer = new ManagedBackend().Create(path, "layer.cim", options);
        writer.CreateFile(CimPath.Parse("f"), CimWriting.Metadata(0x80, 5));
        writer.Write("hello"u8);
        writer.CloseStream();
        return writer.Commit(CancellationToken.None);
    }
}
