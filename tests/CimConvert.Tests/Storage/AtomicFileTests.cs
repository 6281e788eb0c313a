using CimConvert.Storage;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Storage;

public class AtomicFileTests
{
    [Test]
    public void Replaces_a_file_and_leaves_no_temporary_one()
    {
        using var folder = new TempFolder();
        var path = folder.Write("file", [1]);
        AtomicFile.Write(path, [2, 3]);
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(new byte[] { 2, 3 }));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void Does_not_replace_a_file_unless_allowed()
    {
        using var folder = new TempFolder();
        var path = folder.Write("file", [1]);
        Assert.That(() => AtomicFile.Write(path, [2], overwrite: false), Throws.InstanceOf<IOException>());
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(new byte[] { 1 }));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void A_failed_write_keeps_the_old_content()
    {
        using var folder = new TempFolder();
        var path = folder.Write("file", [1]);
        Assert.That(
            () => AtomicFile.Write(path, stream =>
            {
                stream.WriteByte(2);
                throw new InvalidDataException("broken");
            }),
            Throws.InstanceOf<InvalidDataException>());
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(new byte[] { 1 }));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void Copies_a_file()
    {
        using var folder = new TempFolder();
        var source = folder.Write("source", [1, 2]);
        AtomicFile.Copy(source, folder["copy"], temporary: folder["copy.tmp"]);
        Assert.That(FileComparison.AreEqual(source, folder["copy"]), Is.True);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "links need a right there")]
    public void Does_not_write_through_a_link()
    {
        using var folder = new TempFolder();
        var target = folder.Write("target", [1]);
        File.CreateSymbolicLink(folder["file.partial"], target);
        Assert.That(() => AtomicFile.Write(folder["file"], [2]), Throws.InstanceOf<IOException>().With.Message.Contains("is a link"));
        Assert.That(File.ReadAllBytes(target), Is.EqualTo(new byte[] { 1 }));
    }
}
