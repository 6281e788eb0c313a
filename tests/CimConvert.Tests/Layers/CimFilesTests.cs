using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.BlockFile;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>CIMs as files: exported, extracted, verified, and never under their name before they are whole.</summary>
internal sealed class CimFilesTests
{
    private readonly CimLab _lab = new();

    [TearDown]
    public void RemoveFiles() => _lab.Dispose();

    [Test]
    public void An_export_has_the_containers_files_byte_for_byte_and_opens_by_itself()
    {
        var path = _lab.Write("l", w => w.File("f", SeededContent.Bytes(1, 5000)));
        var directory = _lab.Export(path);
        using var reader = BlockFiles.Open(File.ReadAllBytes(path));
        Assert.That(Directory.EnumerateFiles(directory).Select(Path.GetFileName), Is.EquivalentTo(reader.FileNames("layer.cim")));
        foreach (var name in reader.FileNames("layer.cim"))
        {
            ByteAssert.Equal(BlockFiles.ReadFile(reader, "layer.cim", name), File.ReadAllBytes(Path.Combine(directory, name)), name);
        }

        using var standard = OpenCim.Open(Path.Combine(directory, "layer.cim"), []);
        Assert.That(CimVerification.Run(standard, null, null, CancellationToken.None), Is.EqualTo(new VerificationResult(1, 5000, 1, Sealed: false)));
        using var image = OpenCim.Open(path, []);
        Assert.That(() => CimExport.Run(image, directory, CancellationToken.None), Throws.TypeOf<IOException>().With.Message.Contains("exists already"));
    }

    [Test]
    public void A_cancelled_export_leaves_no_cim()
    {
        using var image = OpenCim.Open(_lab.Write("l", w => w.File("f", "x")), []);
        Assert.That(() => CimExport.Run(image, _lab["out"], new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Directory.EnumerateFiles(_lab["out"]), Is.Empty);
    }

    [Test]
    public void Sparse_streams_are_extracted_without_writing_them()
    {
        // A TiB of zeros: the record is made to say so, as writing it would take as long as reading it must not.
        var set = StandardSet.Export(_lab, w => w.File("zeros", new byte[4096]));
        set.U64(set.Record(2) + 48, (1UL << 56) | (1UL << 40));
        var directory = _lab.Folder.Sub("set");
        set.SaveTo(directory);
        using var image = OpenCim.Open(Path.Combine(directory, StandardSet.CimName), []);
        Assert.That(CimExtraction.Run(image.Cim, _lab["out"], CancellationToken.None).Bytes, Is.EqualTo(1L << 40));
        Assert.That(new FileInfo(_lab["out"] + "/zeros").Length, Is.EqualTo(1L << 40));
    }

    [Test]
    public void A_root_digest_that_is_kept_must_fit()
    {
        var path = _lab.Write("l", w => w.File("f", "x"), seal: true);
        using var image = OpenCim.Open(path, []);
        var root = image.Container!.Root;
        Assert.That(CimVerification.Run(image, path, root, CancellationToken.None).Sealed, Is.True);
        root[0] ^= 1;
        Assert.That(() => CimVerification.Run(image, path, root, CancellationToken.None), Throws.TypeOf<InvalidDataException>().With.Message.Contains("root digest"));
        using var other = OpenCim.Open(_lab.Write("plain", w => w.File("f", "x")), []);
        Assert.That(() => CimVerification.Run(other, null, root, CancellationToken.None), Throws.TypeOf<InvalidDataException>().With.Message.Contains("not sealed"));
    }

    [Test]
    public void A_block_file_gets_its_name_when_it_is_whole()
    {
        var target = _lab["layer.bcim"];
        using (var thrown = new ManagedBackend().Create(target, "layer.cim", new BlockCimOptions()))
        {
            thrown.CreateFile(CimPath.Parse("f"), CimWriting.Metadata(0x80));
            thrown.CloseStream();
            Assert.That(File.Exists(target), Is.False);
        }

        Assert.That(Directory.EnumerateFileSystemEntries(_lab.Folder.Path), Is.Empty, "thrown away without a commit");
        using (var kept = new ManagedBackend().Create(target, "layer.cim", new BlockCimOptions(Integrity: true)))
        {
            var image = kept.Commit(CancellationToken.None);
            Assert.That(image.IntegrityRoot, Is.EqualTo(IntegrityFile.TryRead(_lab[IntegrityFile.LayerName])));
        }

        Assert.That(() => new ManagedBackend().Create(target, "layer.cim", new BlockCimOptions()), Throws.TypeOf<IOException>().With.Message.Contains("exists already"));
        Assert.That(() => new ManagedBackend().Create(_lab["other"], "a/b", new BlockCimOptions()), Throws.TypeOf<InvalidDataException>());
        Assert.That(Directory.EnumerateFiles(_lab.Folder.Path).Select(Path.GetFileName), Is.EquivalentTo(new[] { "layer.bcim", IntegrityFile.LayerName }));
    }
}
