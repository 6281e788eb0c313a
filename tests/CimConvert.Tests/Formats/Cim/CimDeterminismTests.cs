using System.Text;
using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>The same calls give the same bytes, today and in a year.</summary>
internal sealed class CimDeterminismTests
{
    /// <summary>
    /// Golden digests: they change only with the format. If one does, FORMAT.md and the version in it change too, and layers
    /// that stores already hold no longer equal new ones.
    /// </summary>
    private const string GoldenSealed = "916b0425cc73b14ee8a3d1f43c1a8eba73e76f729dc9755720e65c5a8f65bdc1";
    private const string GoldenExport = "5220c36f3eb0c5dfb0349648a2e491f9a85c205a5c17030d6b5f1eadc2bd25a5";

    [Test]
    public void The_same_calls_give_the_same_bytes([Values] bool seal)
    {
        using var lab = new CimLab();
        FileContentAssert.Equal(lab.Write("1", Everything, seal), lab.Write("2", Everything, seal));
    }

    [Test]
    public void A_small_block_file_has_its_golden_digest()
    {
        using var lab = new CimLab();
        Assert.That(CimWriting.Sha256(File.ReadAllBytes(lab.Write("l", Everything, seal: true))), Is.EqualTo(GoldenSealed));
    }

    [Test]
    public void Its_exported_files_have_their_golden_digest()
    {
        using var lab = new CimLab();
        var directory = lab.Export(lab.Write("l", Everything));
        var listing = new StringBuilder();
        foreach (var file in Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal))
        {
            listing.Append(CimWriting.Sha256(File.ReadAllBytes(file))).Append(' ').Append(Path.GetFileName(file)).Append('\n');
        }

        Assert.That(CimWriting.Sha256(Encoding.UTF8.GetBytes(listing.ToString())), Is.EqualTo(GoldenExport), listing.ToString());
    }

    [Test]
    public void Names_and_contents_are_in_the_region_sets_id()
    {
        using var lab = new CimLab();
        Guid Id(string file, string name, Action<CimWriter> build)
        {
            using var image = OpenCim.Open(lab.Write(file, build, name: name), []);
            return image.Cim.OwnRegions.Id;
        }

        Guid[] ids =
        [
            Id("1", "a.cim", w => w.File("f", "x")), Id("2", "b.cim", w => w.File("f", "x")), Id("3", "a.cim", w => w.File("g", "x")),
            Id("4", "a.cim", w => w.File("f", "y")), Id("5", "a.cim", w => w.File("f", SeededContent.Bytes(1, 4096))),
            Id("6", "a.cim", w => w.File("f", SeededContent.Bytes(2, 4096))),
        ];
        Assert.That(ids, Is.Unique);
        Assert.That(ids.Select(id => id.Version), Is.All.EqualTo(8), "RFC 9562: a custom UUID");
        Assert.That(Id("7", "a.cim", w => w.File("f", "x")), Is.EqualTo(ids[0]));
    }

    private static void Everything(CimWriter w)
    {
        var described = CimWriting.Metadata(0x27, time: 0x01d9_0000_0000_0000) with
        {
            SecurityDescriptor = SecurityDescriptor.NullDacl,
            ExtendedAttributes = new byte[] { 1, 2, 3 },
        };
        w.Directory(@"Files\Windows", 42);
        w.File(@"Files\Windows\small.txt", "small"u8, described);
        w.File(@"Files\Windows\large.bin", SeededContent.Bytes(1, 10_000), described);
        w.File(@"Files\Windows\again.bin", SeededContent.Bytes(1, 10_000));
        w.File(@"Files\Windows\zeros.bin", new byte[8192]);
        w.File(@"Files\empty", []);
        w.Stream(@"Files\Windows\small.txt", "Zone", "z"u8);
        w.Stream(@"Files\Windows\small.txt", "big", SeededContent.Bytes(2, 5000));
        w.Empty("link", CimWriting.Metadata(0) with { Reparse = new byte[] { 0x0c, 0, 0, 0xa0, 0, 0, 0, 0 } });
        w.Link(@"Files\hard", @"Files\Windows\small.txt");
        w.MergeLink("merge", @"Files\below");
        w.Tombstone(@"Files\gone");
        w.Opaque(@"Files\fresh");
    }
}
