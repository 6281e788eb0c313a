using System.Buffers.Binary;
using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.TestKit;
using CimConvert.TestKit.Oracles.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>Streams that are stored as PE images, as Windows' writer stores programs: read whole, and found again by a merge.</summary>
internal sealed class PeImageTests
{
    private const int DataSize = 6000;
    private const int FileSize = 5000;

    // Names in this order get the ids 2 to 4; the data is the first of its region, the record the first of its.
    private const uint ImageId = 4;
    private static readonly byte[] s_data = SeededContent.Bytes(9, DataSize);

    /// <summary>Bytes up to 100 in place, up to 4000 moved by 16, and the rest by 1000.</summary>
    private static readonly (uint FileOffset, uint Delta)[] s_mappings = [(100, 16), (4000, 1000)];

    private static byte[] Expected => [.. s_data.AsSpan(0, 100), .. s_data.AsSpan(116, 3900), .. s_data.AsSpan(5000, 1000)];

    [Test]
    public void A_program_is_read_through_its_mappings()
    {
        using var lab = new CimLab();
        var directory = Write(lab, s_mappings);
        using var image = OpenCim.Open(Path.Combine(directory, "layer.cim"), []);

        Assert.That(image.Cim.ReadAll(image.Cim.Get("image").Data), Is.EqualTo(Expected));
        Assert.That(image.Verify(null, null, CancellationToken.None).Entries, Is.EqualTo(3));
        var walked = CimWalker.Walk(directory, "layer").Entries.Single(entry => entry.Path == "image").Data!;
        Assert.That((walked.IsPeImage, walked.Sha256), Is.EqualTo((true, CimWriting.Sha256(Expected))));
    }

    [Test]
    public void Without_mappings_the_file_is_the_start_of_the_data()
    {
        using var lab = new CimLab();
        using var image = OpenCim.Open(Path.Combine(Write(lab, []), "layer.cim"), []);

        Assert.That(image.Cim.ReadAll(image.Cim.Get("image").Data), Is.EqualTo(s_data[..FileSize]));
    }

    [Test]
    public void A_merged_cim_finds_it_in_its_source([Values] bool topmost)
    {
        using var lab = new CimLab();
        var program = Path.Combine(Write(lab, s_mappings), "layer.cim");
        var other = lab.Write("other.bcim", writer => writer.File("other", SeededContent.Bytes(1, 9000)));
        string[] sources = topmost ? [program, other] : [other, program];
        var merged = lab.Merge("merged.bcim", sources);
        using var image = OpenCim.Open(merged, sources);

        Assert.That(image.Cim.ReadAll(image.Cim.Get("image").Data), Is.EqualTo(Expected));
        var walked = lab.Walk(merged, sources).Entries.Single(entry => entry.Path == "image").Data!;
        Assert.That((walked.IsPeImage, walked.Sha256), Is.EqualTo((true, CimWriting.Sha256(Expected))));
    }

    [TestCase(100u, 1101u, TestName = "A_piece_behind_the_data")]
    [TestCase(100u, uint.MaxValue, TestName = "A_piece_far_behind_the_data")]
    public void What_maps_outside_the_data_is_refused(uint fileOffset, uint delta)
    {
        using var lab = new CimLab();
        using var image = OpenCim.Open(Path.Combine(Write(lab, [(fileOffset, delta)]), "layer.cim"), []);

        Assert.That(() => image.Cim.OpenStream(image.Cim.Get("image").Data), Throws.TypeOf<InvalidDataException>().With.Message.Contains("outside its 6000 bytes"));
    }

    [Test]
    public void Mappings_out_of_order_are_refused()
    {
        using var lab = new CimLab();
        using var image = OpenCim.Open(Path.Combine(Write(lab, [(4000, 0), (100, 0)]), "layer.cim"), []);

        Assert.That(() => image.Cim.OpenStream(image.Cim.Get("image").Data), Throws.TypeOf<InvalidDataException>().With.Message.Contains("bytes 4000 to 100"));
    }

    [Test]
    public void More_mappings_than_the_region_holds_are_refused()
    {
        using var lab = new CimLab();
        using var image = OpenCim.Open(Path.Combine(Write(lab, [], count: ushort.MaxValue), "layer.cim"), []);

        Assert.That(() => image.Cim.OpenStream(image.Cim.Get("image").Data), Throws.TypeOf<InvalidDataException>());
    }

    /// <summary>A set whose file <c>image</c> is made a PE image: the writer makes none.</summary>
    private static string Write(CimLab lab, (uint FileOffset, uint Delta)[] mappings, int? count = null)
    {
        var record = new byte[24 + (mappings.Length * 8)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (1UL << 48) | 4096);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(8), DataSize);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(20), (ushort)(count ?? mappings.Length));
        foreach (var (i, (fileOffset, delta)) in mappings.Index())
        {
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(24 + (i * 8)), fileOffset);
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(28 + (i * 8)), delta);
        }

        var set = StandardSet.Export(lab, writer =>
        {
            writer.File("data", s_data);
            writer.File("head", record);
            writer.File("image", "replaced");
        });
        const int dataAt = 40;
        set.U64(set.Record(ImageId) + dataAt, (2UL << 48) | dataAt);
        set.U64(set.Record(ImageId) + dataAt + 8, FileSize | (2UL << 48));
        var directory = lab.Folder.Sub("pe");
        set.SaveTo(directory);
        return directory;
    }
}
