using CimConvert.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

internal sealed class RegionOffsetTests
{
    private const long Last = (1L << 48) - 1;

    [Test]
    public void Region_and_offset_share_a_word()
    {
        var offset = new RegionOffset(0x1234, 0x5678_9abc_def0);
        Assert.That(offset.Value, Is.EqualTo(0x1234_5678_9abc_def0));
        Assert.That((offset.Region, offset.Offset, offset.IsNull), Is.EqualTo((0x1234, 0x5678_9abc_def0, false)));
        Assert.That((new RegionOffset(ushort.MaxValue, Last).Value, RegionOffset.Null.IsNull), Is.EqualTo((ulong.MaxValue, true)));
    }

    [TestCase(-1L)]
    [TestCase(Last + 1)]
    [TestCase(long.MaxValue)]
    public void Offsets_have_48_bits(long offset) =>
        Assert.That(() => new RegionOffset(0, offset), Throws.TypeOf<InvalidDataException>());

    [Test]
    public void Rebasing_moves_the_region_and_keeps_null()
    {
        Assert.That(new RegionOffset(2, 40).Rebase(3), Is.EqualTo(new RegionOffset(5, 40)));
        Assert.That(RegionOffset.Null.Rebase(3).IsNull, Is.True);
        Assert.That(() => new RegionOffset(65535, 40).Rebase(1), Throws.TypeOf<OverflowException>(), "a merge counts its regions first");
    }

    [Test]
    public void Streams_keep_48_bits_of_length()
    {
        var stream = new CimStream(new RegionOffset(1, 4096), Last, CimStreamType.PeImage, sparse: true);
        Assert.That((stream.Length, stream.Type, stream.IsSparse), Is.EqualTo((Last, CimStreamType.PeImage, true)));
    }
}
