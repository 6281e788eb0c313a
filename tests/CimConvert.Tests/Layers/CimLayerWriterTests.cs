using System.Text;
using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Cim;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>The layer writer as callers other than the importer use it: what it makes, and what it says to misuse.</summary>
public class CimLayerWriterTests
{
    private static readonly CimPath s_file = CimPath.Parse(@"Files\file");

    [Test]
    public void A_layer_of_calls_is_the_layer_of_the_same_tar()
    {
        using var folder = new TempFolder();
        var called = Path.Combine(folder.Sub("called"), "layer.bcim");
        var imported = Path.Combine(folder.Sub("imported"), "layer.bcim");
        using (var image = new ManagedBackend().Create(called, "layer.cim", new BlockCimOptions()))
        using (var layer = Open(image, Path.GetDirectoryName(called)!))
        {
            foreach (var hive in LayerImportHarness.ConfigHives)
            {
                Add(layer, $@"Files\Windows\System32\config\{hive}", hive);
            }

            Add(layer, @"Files\a", "main");
            AddStream(layer, @"Files\a", "stream", "other");
            layer.AddLink(CimPath.Parse(@"Files\b"), CimPath.Parse(@"Files\a"));
            layer.Remove(CimPath.Parse(@"Files\gone"));
            layer.RemoveContents(CimPath.Parse(@"Files\emptied"));
            layer.Close(new ManagedHiveMerger(), [], CancellationToken.None);
        }

        using (var image = new ManagedBackend().Create(imported, "layer.cim", new BlockCimOptions()))
        {
            var tar = LayerImportHarness.BaseTar()
                .Add("Files/a", data: "main"u8.ToArray()).Add("Files/a:stream", data: "other"u8.ToArray())
                .Add("Files/b", '1', link: "Files/a").Add("Files/.wh.gone").Add("Files/emptied/.wh..wh..opq");
            using var stream = tar.End().ToStream();
            LayerImport.Import(stream, image, Options(Path.GetDirectoryName(imported)!), CancellationToken.None);
            image.Commit(CancellationToken.None);
        }

        Assert.That(File.ReadAllBytes(called), Is.EqualTo(File.ReadAllBytes(imported)));
        Assert.That(Directory.GetFiles(folder["called", "Hives"]), Has.Length.EqualTo(5));
    }

    [Test]
    public void Bytes_without_a_file_are_refused()
    {
        AssertMisuse<InvalidOperationException>("no file to write to", layer => layer.Write([1]));
        AssertMisuse<InvalidOperationException>("no file to write to", layer =>
        {
            Add(layer, @"Files\file", "x");
            layer.AddLink(CimPath.Parse(@"Files\link"), s_file);
            layer.Write([1]);
        });
        AssertMisuse<InvalidOperationException>("no file to write to", layer =>
        {
            Add(layer, @"Files\file", "x");
            layer.Remove(CimPath.Parse(@"Files\other"));
            layer.Write([]);
        });
    }

    [TestCase(0)]
    [TestCase(3)]
    [TestCase(5000)]
    public void More_bytes_than_declared_are_refused(int size) =>
        AssertMisuse<InvalidDataException>($@"more bytes were written to 'Files\file' than the {size} it was declared to hold", layer =>
        {
            layer.Add(s_file, Metadata(size));
            layer.Write(new byte[size]);
            layer.Write([]);
            layer.Write([1]);
        });

    [Test]
    public void More_bytes_than_a_standard_file_or_a_stream_declared_are_refused()
    {
        AssertMisuse<InvalidDataException>(@"Hives\SYSTEM_DELTA", layer =>
        {
            layer.Add(CimPath.Parse(@"Hives\SYSTEM_DELTA"), Metadata(2));
            layer.Write(new byte[3]);
        });
        AssertMisuse<InvalidDataException>(@"Files\file:s", layer =>
        {
            Add(layer, @"Files\file", "x");
            layer.AddAlternateStream(s_file, "s", 1);
            layer.Write(new byte[2]);
        });
    }

    [Test]
    public void Fewer_bytes_than_declared_are_refused_by_the_next_call([Values] bool standardFile, [Values("add", "link", "stream", "remove", "contents", "finish", "close")] string next) =>
        AssertMisuse<InvalidDataException>("2 bytes were written to", layer =>
        {
            layer.Add(standardFile ? CimPath.Parse(@"Hives\SAM_DELTA") : s_file, Metadata(3));
            layer.Write(new byte[2]);
            Call(layer, next);
        });

    [Test]
    public void After_close_every_call_says_so([Values("add", "link", "stream", "remove", "contents", "write", "finish", "close")] string call)
    {
        using var folder = new LayerFolder();
        using var image = new ManagedBackend().Create(Path.Combine(folder.Path, "layer.bcim"), "layer.cim", new BlockCimOptions());
        using var layer = Open(image, folder.Path, isBase: false);
        Add(layer, @"Files\file", "x");
        layer.Close(new ManagedHiveMerger(), [folder.Path], CancellationToken.None);

        Assert.That(() => Call(layer, call), Throws.InvalidOperationException.With.Message.EqualTo("the layer is closed"));
    }

    [Test]
    public void Finish_leaves_only_close_to_be_called()
    {
        using var folder = new LayerFolder();
        using var image = new ManagedBackend().Create(Path.Combine(folder.Path, "layer.bcim"), "layer.cim", new BlockCimOptions());
        using var layer = Open(image, folder.Path, isBase: false);
        Assert.That(layer.Finish(CancellationToken.None), Is.Empty);

        Assert.That(() => Call(layer, "add"), Throws.InvalidOperationException.With.Message.EqualTo("the layer is closed"));
        Assert.That(File.Exists(layer.Close(new ManagedHiveMerger(), [], CancellationToken.None).Path));
    }

    [Test]
    public void After_a_failure_nothing_can_be_committed()
    {
        using var folder = new LayerFolder();
        using (var image = new ManagedBackend().Create(Path.Combine(folder.Path, "layer.bcim"), "layer.cim", new BlockCimOptions()))
        using (var layer = Open(image, folder.Path, isBase: false))
        {
            Add(layer, @"Hives\SYSTEM_DELTA", "staged");
            Assert.That(() => layer.AddLink(s_file, s_file), Throws.TypeOf<InvalidDataException>());

            Assert.That(() => Call(layer, "close"), Throws.InvalidOperationException.With.Message.Contains("an earlier call failed"));
            Assert.That(() => Call(layer, "write"), Throws.InvalidOperationException.With.Message.Contains("an earlier call failed"));
        }

        Assert.That(folder.Everything, Is.Empty);
    }

    [Test]
    public void What_waited_and_fails_is_named_without_a_tar() =>
        AssertMisuse<LayerImportException>(@"entry 'Files\link': a hard link to 'Files\none'", isBase: true, act: layer =>
        {
            foreach (var hive in LayerImportHarness.ConfigHives)
            {
                Add(layer, $@"Files\Windows\System32\config\{hive}", hive);
            }

            layer.AddLink(CimPath.Parse(@"Files\link"), CimPath.Parse(@"Files\none"));
            layer.Finish(CancellationToken.None);
        });

    private static void AssertMisuse<T>(string message, Action<CimLayerWriter> act, bool isBase = false)
        where T : Exception
    {
        using var folder = new LayerFolder();
        using (var image = new ManagedBackend().Create(Path.Combine(folder.Path, "layer.bcim"), "layer.cim", new BlockCimOptions()))
        using (var layer = Open(image, folder.Path, isBase))
        {
            Assert.That(() => act(layer), Throws.TypeOf<T>().With.Message.Contains(message));
        }

        Assert.That(folder.Everything, Is.Empty);
    }

    private static void Call(CimLayerWriter layer, string call)
    {
        switch (call)
        {
            case "add":
                layer.Add(CimPath.Parse(@"Files\next"), Metadata(0));
                break;
            case "link":
                layer.AddLink(CimPath.Parse(@"Files\next"), s_file);
                break;
            case "stream":
                layer.AddAlternateStream(s_file, "next", 0);
                break;
            case "remove":
                layer.Remove(CimPath.Parse(@"Files\next"));
                break;
            case "contents":
                layer.RemoveContents(CimPath.Parse(@"Files\next"));
                break;
            case "write":
                layer.Write([1]);
                break;
            case "finish":
                layer.Finish(CancellationToken.None);
                break;
            default:
                layer.Close(new ManagedHiveMerger(), [], CancellationToken.None);
                break;
        }
    }

    private static CimLayerWriter Open(ICimWriter image, string folder, bool isBase = true) => new(image, Options(folder, isBase));

    private static LayerImportOptions Options(string folder, bool isBase = true) => new() { IsBase = isBase, LayerFolder = folder };

    private static void Add(CimLayerWriter layer, string path, string content)
    {
        var bytes = Encoding.ASCII.GetBytes(content);
        layer.Add(CimPath.Parse(path), Metadata(bytes.Length));
        layer.Write(bytes);
    }

    private static void AddStream(CimLayerWriter layer, string path, string name, string content)
    {
        layer.AddAlternateStream(CimPath.Parse(path), name, content.Length);
        layer.Write(Encoding.ASCII.GetBytes(content));
    }

    /// <summary>As the importer reads an entry that says nothing of itself.</summary>
    private static CimFileMetadata Metadata(long size)
    {
        const long unixEpoch = 116444736000000000;
        return new CimFileMetadata
        {
            Attributes = 0,
            Size = size,
            CreationTime = unixEpoch,
            LastWriteTime = unixEpoch,
            ChangeTime = unixEpoch,
            LastAccessTime = unixEpoch,
        };
    }
}
