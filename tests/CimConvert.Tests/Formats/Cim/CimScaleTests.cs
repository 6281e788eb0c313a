using System.Globalization;
using CimConvert.Cims;
using CimConvert.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>Many files, many names, deep paths.</summary>
[Category(Categories.Slow)]
internal sealed class CimScaleTests
{
    private readonly CimLab _lab = new();

    [TearDown]
    public void RemoveFiles() => _lab.Dispose();

    // The root is file 1: both sides of a full table, with and without it counted.
    [TestCase(1022)]
    [TestCase(1023)]
    [TestCase(1024)]
    [TestCase(1025)]
    [TestCase(2048)]
    public void File_tables_fill_up(int files)
    {
        var path = WriteFlat(files);
        var walked = _lab.Walk(path);
        Assert.That((walked.FileTableLength, walked.Entries.Count, walked.UnreachedFiles.Count), Is.EqualTo((files + 1, files, 0)));
        using var image = OpenCim.Open(path, []);
        Assert.That(image.Cim.FileCount, Is.EqualTo(files + 1));
        Assert.That(() => image.Cim.Entry((uint)files + 2), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => image.Cim.Entry(0), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => image.Cim.Entry(uint.MaxValue), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void A_directory_of_40_000_names_is_found_in_by_any_case()
    {
        var path = WriteFlat(40_000);
        Assert.That(_lab.Walk(path).Entries, Has.Count.EqualTo(40_000));
        using var image = OpenCim.Open(path, []);
        for (var i = 0; i < 40_000; i += 97)
        {
            Assert.That(image.Cim.ReadAll(image.Cim.Get($"FILE{i}").Data), Is.EqualTo(Content(i)));
        }

        Assert.That(image.Cim.Find(CimPath.Parse("file40000")), Is.Null);
    }

    [Test]
    public void Seventy_thousand_files_in_many_directories_come_back()
    {
        var path = _lab.Write("l", w =>
        {
            for (var i = 0; i < 70_000; i++)
            {
                w.File($@"d{i % 700}\f{i}", Content(i));
            }
        });
        var walked = _lab.Walk(path);
        Assert.That((walked.Entries.Count, walked.FileTableLength), Is.EqualTo((70_700, 70_701)));
        var sample = walked.Entries.Single(e => e.Path == @"d699\f69999");
        Assert.That(sample.Data!.Sha256, Is.EqualTo(CimWriting.Sha256(Content(69_999))));
    }

    [Test]
    public void Deep_paths_need_no_stack()
    {
        // 16,383 components are the most a path can have: every walk must do without recursion.
        var deepest = string.Join('\\', Enumerable.Repeat("d", 16_383)) + @"\f";
        var path = _lab.Write("l", w => w.File(deepest, "bottom"));
        using var image = OpenCim.Open(path, []);
        Assert.That(CimWalk.Below(image.Cim, CimPath.Root, image.Cim.Root).Count(), Is.EqualTo(16_384));
        Assert.That(image.Cim.ReadAll(image.Cim.Get(deepest.ToUpperInvariant()).Data), Is.EqualTo("bottom"u8.ToArray()));
    }

    [Test]
    public void Two_thousand_levels_walk_and_merge()
    {
        var directory = string.Join('\\', Enumerable.Repeat("d", 2000));
        string[] sources = [_lab.Write("2", w => w.Tombstone(directory + @"\f")), _lab.Write("1", w => w.File(directory + @"\f", "bottom"))];
        Assert.That(_lab.Walk(sources[1]).Entries, Has.Count.EqualTo(2001));
        Assert.That(_lab.Walk(_lab.Merge("m", sources), sources).Entries, Has.Count.EqualTo(2000));
    }

    [Test]
    public void Forty_thousand_alternate_streams_come_back()
    {
        var path = _lab.Write("l", w =>
        {
            w.File("f", "x");
            for (var i = 0; i < 40_000; i++)
            {
                w.Stream("f", $"s{i}", Content(i));
            }
        });
        var streams = _lab.Walk(path).Entries.Single().AlternateStreams.ToDictionary(s => s.Name, s => s.Sha256, StringComparer.Ordinal);
        Assert.That(streams, Has.Count.EqualTo(40_000));
        Assert.That(streams["s39999"], Is.EqualTo(CimWriting.Sha256(Content(39_999))));
    }

    private static byte[] Content(int i) => System.Text.Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture));

    private string WriteFlat(int files) => _lab.Write("l", w =>
    {
        for (var i = 0; i < files; i++)
        {
            w.File($"file{i}", Content(i));
        }
    });
}
