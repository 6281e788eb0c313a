using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Cims.Managed;

/// <summary>A standard CIM is there whole or not at all, whenever its writer ends.</summary>
public class PartialCimSetTests
{
    [Test]
    public void What_a_killed_writer_left_goes_with_the_next([Range(0, 6)] int moved)
    {
        using var folder = new TempFolder();
        var (killed, cim) = (folder.Sub("killed"), folder["cims", "layer.cim"]);
        Write(Path.Combine(killed, "layer.cim"), "first");
        var left = folder.Sub("cims", "layer.cim.partial");
        foreach (var (i, file) in Directory.GetFiles(killed).OrderBy(file => file.EndsWith(".cim", StringComparison.Ordinal)).ThenBy(file => file, StringComparer.Ordinal).Index())
        {
            File.Move(file, Path.Combine(i < moved ? folder["cims"] : left, Path.GetFileName(file)));
        }

        Assert.That(File.Exists(cim), Is.False);
        Write(cim, "second");

        Assert.That(Directory.GetFileSystemEntries(folder["cims"]), Has.Length.EqualTo(7));
        using var image = OpenCim.Open(cim, []);
        Assert.That(image.Cim.ReadAll(image.Cim.Get("a").Data), Is.EqualTo("second"u8.ToArray()));
    }

    [Test]
    public void A_torn_cim_says_nothing_of_what_was_moved()
    {
        using var folder = new TempFolder();
        var cim = folder["layer.cim"];
        folder.Write("layer.cim.partial/layer.cim", "cimfile0"u8);
        folder.Write("layer.cim.partial/file0.new", [1]);

        Write(cim, "whole");

        Assert.That(Directory.GetFileSystemEntries(folder.Path), Has.Length.EqualTo(7));
    }

    [Test]
    public void Two_writers_of_one_name_do_not_meet()
    {
        using var folder = new TempFolder();
        var backend = new ManagedBackend();
        using (backend.CreateForked(folder["layer.cim"], null))
        {
            Assert.That(() => backend.CreateForked(folder["layer.cim"], null), Throws.InstanceOf<IOException>());
        }

        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    public void A_folder_by_its_name_is_in_its_way()
    {
        using var folder = new TempFolder();
        folder.Sub("layer.cim");

        Assert.That(() => new ManagedBackend().CreateForked(folder["layer.cim"], null), Throws.InstanceOf<IOException>().With.Message.Contains("exists already"));
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.EqualTo(new[] { folder["layer.cim"] }));
    }

    [Test]
    public void What_cannot_be_moved_is_neither_kept_nor_in_the_way_of_cleaning_up()
    {
        using var folder = new TempFolder();
        using (var writer = new ManagedBackend().CreateForked(folder["layer.cim"], null))
        {
            folder.Sub("layer.cim");
            Assert.That(() => writer.Commit(CancellationToken.None), Throws.Exception);
        }

        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.EqualTo(new[] { folder["layer.cim"] }));
    }

    [Test]
    public void A_parent_that_is_destroyed_meanwhile_has_no_child()
    {
        using var folder = new TempFolder();
        var (parent, child) = (folder["parent.cim"], folder["child.cim"]);
        Write(parent, "a");
        using (var writer = new ManagedBackend().CreateForked(child, parent))
        {
            CimDestruction.Run(parent, force: false);
            Assert.That(() => writer.Commit(CancellationToken.None), Throws.TypeOf<ConversionException>().With.Message.Contains($"its parent '{parent}' was removed"));
        }

        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    public void A_writer_that_is_not_committed_leaves_nothing()
    {
        using var folder = new TempFolder();
        using (var writer = new ManagedBackend().CreateForked(folder["layer.cim"], null))
        {
            writer.CreateFile(CimPath.Parse("a"), CimWriting.Metadata(Win32Attributes.Normal, 3));
            writer.Write("abc"u8);
            writer.CloseStream();
        }

        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    [Category(Categories.Slow)]
    public void Large_content_that_comes_twice_is_taken_back_from_the_file()
    {
        using var folder = new TempFolder();
        var content = SeededContent.Bytes(1, 1_000_000);
        using (var writer = new ManagedBackend().CreateForked(folder["layer.cim"], null))
        {
            foreach (var name in (string[])["a", "b"])
            {
                writer.CreateFile(CimPath.Parse(name), CimWriting.Metadata(Win32Attributes.Normal, content.Length));
                writer.Write(content);
                writer.CloseStream();
            }

            Assert.That(writer.Commit(CancellationToken.None).Size, Is.LessThan(1_300_000));
        }

        using var image = OpenCim.Open(folder["layer.cim"], []);
        Assert.That(image.Cim.ReadAll(image.Cim.Get("b").Data), Is.EqualTo(content));
    }

    private static void Write(string cim, string content)
    {
        using var writer = new ManagedBackend().CreateForked(cim, null);
        writer.CreateFile(CimPath.Parse("a"), CimWriting.Metadata(Win32Attributes.Normal, content.Length));
        writer.Write(System.Text.Encoding.ASCII.GetBytes(content));
        writer.CloseStream();
        writer.Commit(CancellationToken.None);
    }
}
