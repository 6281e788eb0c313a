using System.Text;
using CimConvert.Formats.Windows;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Windows;

internal sealed class ReparsePointTests
{
    private const int FixedSize = 20 + (2 * sizeof(char));
    private const int LongestRelative = (ReparsePoint.MaxSize - FixedSize) / (2 * sizeof(char));

    [TestCase(@"..\x", @"..\x", 1)]
    [TestCase("../x", @"..\x", 1, @"..\x")]
    [TestCase(@"\x", @"\x", 1)]
    [TestCase(@"C:\x", @"\??\C:\x", 0)]
    [TestCase("z:", @"\??\z:", 0)]
    [TestCase("1:", "1:", 1)]
    [TestCase(@"\\server\share", @"\??\UNC\server\share", 0)]
    [TestCase("//server/share", @"\??\UNC\server\share", 0, @"\\server\share")]
    [TestCase(@"\\?\Volume{1}\x", @"\??\Volume{1}\x", 0)]
    [TestCase("x", "x", 1)]
    public void Symbolic_links_have_both_names_and_the_relative_flag(string target, string substitute, int flags, string? print = null)
    {
        var (tag, names, found) = Decode(ReparsePoint.Encode(target, isMountPoint: false), isMountPoint: false);
        Assert.That((tag, names, found), Is.EqualTo((0xA000000Cu, $"{substitute}\0{print ?? target}\0", flags)));
    }

    [Test]
    public void Mount_points_have_no_flags()
    {
        var (tag, names, _) = Decode(ReparsePoint.Encode(@"C:\Users", isMountPoint: true), isMountPoint: true);
        Assert.That((tag, names), Is.EqualTo((0xA0000003u, "\\??\\C:\\Users\0C:\\Users\0")));
    }

    [Test]
    public void The_longest_buffer_is_windows_own()
    {
        Assert.That(ReparsePoint.Encode(new string('x', LongestRelative), isMountPoint: false), Has.Length.EqualTo(ReparsePoint.MaxSize));
        Assert.That(() => ReparsePoint.Encode(new string('x', LongestRelative + 1), isMountPoint: false), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void A_link_needs_a_target() =>
        Assert.That(() => ReparsePoint.Encode("", isMountPoint: false), Throws.TypeOf<InvalidDataException>());

    private static (uint Tag, string Names, int Flags) Decode(byte[] buffer, bool isMountPoint)
    {
        using var reader = new BinaryReader(new MemoryStream(buffer), Encoding.Unicode);
        var tag = reader.ReadUInt32();
        Assert.That(reader.ReadUInt16(), Is.EqualTo(buffer.Length - 8), "the length counts what follows the header");
        Assert.That(reader.ReadUInt16(), Is.Zero);
        var (substituteOffset, substituteLength, printOffset, printLength) =
            (reader.ReadUInt16(), reader.ReadUInt16(), reader.ReadUInt16(), reader.ReadUInt16());
        var flags = isMountPoint ? 0 : reader.ReadInt32();
        var names = Encoding.Unicode.GetString(reader.ReadBytes(buffer.Length));
        Assert.That((int)substituteOffset, Is.Zero);
        Assert.That(names[substituteLength / 2], Is.EqualTo('\0'));
        Assert.That((int)printOffset, Is.EqualTo(substituteLength + 2));
        Assert.That(printOffset + printLength + 2, Is.EqualTo(names.Length * 2));
        return (tag, names, flags);
    }
}
