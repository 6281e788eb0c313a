using CimConvert.Formats.Cim;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>Calls out of order and entries that cannot be: each is refused, and the writer goes on from where it was.</summary>
internal sealed class CimWriterMisuseTests
{
    private readonly CimLab _lab = new();

    [TearDown]
    public void RemoveFiles() => _lab.Dispose();

    [Test]
    public void Too_many_bytes_are_refused_and_the_right_ones_still_fit([Values(3, 5000)] int size)
    {
        var content = SeededContent.Bytes(1, size);
        var path = _lab.Write("l", w =>
        {
            w.CreateFile(CimPath.Parse("f"), CimWriting.Metadata(0x80, size));
            w.Write(content.AsSpan(0, size - 1));
            Assert.That(() => w.Write(new byte[2]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("more than the declared"));
            Assert.That(w.CloseStream, Throws.TypeOf<InvalidDataException>().With.Message.Contains($"{size - 1} bytes were written"));
            w.Write(content.AsSpan(size - 1));
            w.CloseStream();
        });
        Assert.That(_lab.Walk(path).Entries.Single().Data!.Sha256, Is.EqualTo(CimWriting.Sha256(content)));
    }

    [Test]
    public void No_other_call_comes_while_a_stream_is_open() => _lab.Write("l", w =>
    {
        w.File("a", "x");
        w.CreateFile(CimPath.Parse("f"), CimWriting.Metadata(0x80));
        Action[] calls =
        [
            () => w.Directory("d"), () => w.Stream("a", "s", []), () => w.Link("b", "a"), () => w.MergeLink("b", "a"),
            () => w.Tombstone("b"), () => w.Opaque("b"), () => w.Commit(),
        ];
        foreach (var call in calls)
        {
            Assert.That(call, Throws.InvalidOperationException.With.Message.EqualTo("a stream is still open"));
        }

        w.CloseStream();
    });

    [Test]
    public void Without_an_open_stream_nothing_is_written_or_closed() => _lab.Write("l", w =>
    {
        Assert.That(w.CloseStream, Throws.InvalidOperationException);
        Assert.That(() => w.Write([]), Throws.InvalidOperationException);
        w.File("f", "x");
        Assert.That(w.CloseStream, Throws.InvalidOperationException);
        Assert.That(() => w.Write([1]), Throws.InvalidOperationException);
    });

    [Test]
    public void A_refused_entry_leaves_nothing_and_no_open_stream()
    {
        var path = _lab.Write("l", w =>
        {
            w.File("file", "x");
            CimFileMetadata[] wrong =
            [
                CimWriting.Metadata(0x80, -1), CimWriting.Metadata(0x80, 1L << 48), CimWriting.Metadata(0x10, 1),
                CimWriting.Metadata(0x80, 1) with { Reparse = new byte[8] },
                CimWriting.Metadata(0x80) with { Reparse = new byte[7] },
                CimWriting.Metadata(0x80) with { Reparse = new byte[65536] },
                CimWriting.Metadata(0x80) with { SecurityDescriptor = new byte[65536] },
                CimWriting.Metadata(0x80) with { ExtendedAttributes = new byte[65536] },
            ];
            foreach (var metadata in wrong)
            {
                Assert.That(() => w.CreateFile(CimPath.Parse("wrong"), metadata), Throws.TypeOf<InvalidDataException>());
                Assert.That(() => w.CreateFile(CimPath.Parse(@"file\x"), CimWriting.Metadata(0x80)), Throws.TypeOf<InvalidDataException>());
            }

            foreach (var name in new[] { "", "a:b", "a\\b", "..", new string('s', 256) })
            {
                Assert.That(() => w.CreateAlternateStream(CimPath.Parse("file"), name, 0), Throws.TypeOf<InvalidDataException>());
            }

            Assert.That(() => w.CreateAlternateStream(CimPath.Parse("missing"), "s", 0), Throws.TypeOf<InvalidDataException>());
            Assert.That(() => w.CreateAlternateStream(CimPath.Parse("file"), "s", -1), Throws.TypeOf<InvalidDataException>());
            w.File("right", "y");
        });
        Assert.That(_lab.Walk(path).Entries.Select(e => e.Path), Is.EqualTo(new[] { "file", "right" }));
    }

    [Test]
    public void After_the_commit_nothing_is_taken() => _lab.WriteBlocks("l", blocks =>
    {
        using var w = new CimWriter(blocks.BeginSet("a.cim"), "a.cim");
        w.File("f", "x");
        w.Commit();
        Assert.That(() => w.Commit(), Throws.InvalidOperationException.With.Message.EqualTo("the CIM is committed"));
        Assert.That(() => w.File("g", "x"), Throws.InvalidOperationException);
        Assert.That(() => w.Link("g", "f"), Throws.InvalidOperationException);
    });

    [TestCase("")]
    [TestCase("a/b")]
    [TestCase("a\\b")]
    [TestCase("..")]
    [TestCase("a:b")]
    public void A_cims_name_is_a_file_name(string name) =>
        Assert.That(() => _lab.WriteBlocks("l", blocks => CimLab.WriteSet(blocks, name, _ => { })), Throws.TypeOf<InvalidDataException>());
}
