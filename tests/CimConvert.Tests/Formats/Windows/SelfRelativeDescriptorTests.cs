using System.Buffers.Binary;
using CimConvert.Formats.Windows;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Windows;

internal sealed class SelfRelativeDescriptorTests
{
    private const int Owner = 4;
    private const int Group = 8;
    private const int Sacl = 12;
    private const int Dacl = 16;

    [Test]
    public void Whole_ones_and_bare_headers_are_valid()
    {
        Assert.That(SelfRelativeDescriptor.Validate(Good()), Is.Null);
        Assert.That(SelfRelativeDescriptor.Validate(Good().AsSpan(0, 20)), Is.Not.Null, "cut");
        Assert.That(SelfRelativeDescriptor.Validate(SecurityDescriptor.NullDacl.Span), Is.Null);
        Assert.That(SelfRelativeDescriptor.Validate(SecurityDescriptor.NullDacl.Span[..19]), Does.Contain("shorter"));
    }

    [Test]
    public void Revision_and_form_are_checked()
    {
        Assert.That(Changed(d => d[0] = 2), Does.Contain("revision"));
        Assert.That(Changed(d => d[3] = 0), Does.Contain("self-relative"));
    }

    [TestCase(Owner, "owner")]
    [TestCase(Group, "group")]
    [TestCase(Sacl, "SACL")]
    [TestCase(Dacl, "DACL")]
    public void Parts_lie_behind_the_header_and_inside(int field, string name)
    {
        Assert.That(Changed(d => BinaryPrimitives.WriteInt32LittleEndian(d.AsSpan(field), 19)), Does.Contain(name).And.Contain("outside"));
        Assert.That(Changed(d => BinaryPrimitives.WriteInt32LittleEndian(d.AsSpan(field), d.Length - 7)), Does.Contain(name).And.Contain("outside"));
        Assert.That(Changed(d => BinaryPrimitives.WriteInt32LittleEndian(d.AsSpan(field), -1)), Does.Contain(name).And.Contain("outside"));
        Assert.That(Changed(d => BinaryPrimitives.WriteInt32LittleEndian(d.AsSpan(field), 0)), Is.Null, "absent");
    }

    [Test]
    public void Sids_and_lists_keep_to_their_bounds()
    {
        Assert.That(Changed(d => d[At(d, Group) + 1] = 3), Does.Contain("malformed group"), "the last part, one sub-authority too many");
        Assert.That(Changed(d => d[At(d, Owner) + 1] = 16), Does.Contain("malformed owner"));
        Assert.That(Changed(d => d[At(d, Owner)] = 2), Does.Contain("malformed owner"));
        Assert.That(Changed(d => d[At(d, Dacl)] = 1), Does.Contain("malformed DACL"));
        Assert.That(Changed(d => d[At(d, Dacl)] = 5), Does.Contain("malformed DACL"));
        Assert.That(Changed(d => d[At(d, Dacl) + 2] = 7), Does.Contain("malformed DACL"));
        Assert.That(Changed(d => d[At(d, Sacl) + 3] = 0xff), Does.Contain("malformed SACL"));
    }

    private static byte[] Good() => Sddl.Parse("O:SYG:BUD:(A;;FA;;;SY)S:(AU;SA;FA;;;WD)"u8);

    private static int At(byte[] descriptor, int field) => BinaryPrimitives.ReadInt32LittleEndian(descriptor.AsSpan(field));

    private static string? Changed(Action<byte[]> change)
    {
        var descriptor = Good();
        change(descriptor);
        return SelfRelativeDescriptor.Validate(descriptor);
    }
}
