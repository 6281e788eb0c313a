using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Cli;
using NUnit.Framework;

namespace CimConvert.Tests.Sources;

/// <summary>Images that no registry holds: OCI layouts and files of <c>docker save</c>, as skopeo writes them and as they come damaged.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class LocalImageTests
{
    private const string Name = "host.example/win/app:v1";

    [Test]
    public async Task A_layout_converts_to_what_the_registry_gives([Values(LayerCompression.Gzip, LayerCompression.Zstd, LayerCompression.None)] LayerCompression compression)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Write(folder, compression);
        registry.AddLayout("win/app", folder["image"]);

        var local = await CimConvertProgram.JsonAsync("convert", $"oci:{folder["image"]}:v1", "--output", folder["local"], "--quiet");
        var remote = await CimConvertProgram.ConvertAsync($"{registry.Host}/win/app:v1", folder["remote"]);

        Assert.That(local.GetProperty("image").GetString(), Is.EqualTo($"oci:{folder["image"]}:v1"));
        Assert.That(local.GetProperty("source").GetProperty("digest").GetString(), Is.EqualTo(image.ManifestDigest));
        Assert.That(local.GetProperty("bytes").GetProperty("downloaded").GetInt64(), Is.Zero);
        Assert.That(local.GetProperty("converted").GetRawText(), Is.EqualTo(remote.GetProperty("converted").GetRawText()));
        Assert.That(Blobs(folder["local"]), Is.EqualTo(Blobs(folder["remote"])));
    }

    [Test]
    public async Task A_layout_of_one_image_needs_no_name_and_of_several_names_them()
    {
        using var folder = new TempFolder();
        Write(folder, LayerCompression.Gzip);
        await CimConvertProgram.SucceedAsync("convert", $"oci:{folder["image"]}", "--output", folder["store"], "--quiet");

        new ImageBuilder { OsVersion = "10.0.17763.1" }.Layer(WindowsImage.SmallBase()).WriteTo(folder["image"], "other");
        var error = await CimConvertProgram.FailAsync(1, "convert", $"oci:{folder["image"]}", "--output", folder["store"], "--quiet");
        Assert.That(error, Does.EndWith("has several images; it has: v1, other"));
        error = await CimConvertProgram.FailAsync(1, "convert", $"oci:{folder["image"]}:none", "--output", folder["store"], "--quiet");
        Assert.That(error, Does.EndWith("has no image named 'none'; it has: v1, other"));
    }

    [Test]
    public async Task A_damaged_layout_is_one_clear_error()
    {
        using var folder = new TempFolder();
        var image = Write(folder, LayerCompression.Gzip);
        var layer = image.BlobPath(image.Layers[0].Digest);
        var whole = File.ReadAllBytes(layer);

        File.WriteAllBytes(layer, whole[..^1]);
        Assert.That(await FailAsync(folder), Does.Contain("layer 1 of 2").And.Contains("the layout is damaged"));
        Corrupter.FlipByteAt(image.BlobPath(image.ManifestDigest), 20);
        Assert.That(await FailAsync(folder), Does.Contain("has the digest sha256:").And.Contains("the layout is damaged"));
        File.Delete(image.BlobPath(image.ManifestDigest));
        Assert.That(await FailAsync(folder), Does.Contain($"the layout lacks blob {image.ManifestDigest}"));
        File.Delete(folder["image", "index.json"]);
        Assert.That(await FailAsync(folder), Does.Contain("is no OCI image layout"));
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
    }

    [Test]
    public async Task A_file_of_docker_save_converts_to_the_same_layers()
    {
        using var folder = new TempFolder();
        Write(folder, LayerCompression.Gzip);
        await SaveAsync(folder);

        var saved = await CimConvertProgram.JsonAsync("convert", $"docker-archive:{folder["saved.tar"]}:{Name}", "--output", folder["store"], "--quiet");
        var again = await CimConvertProgram.JsonAsync("convert", $"docker-archive:{folder["saved.tar"]}", "--output", folder["again"], "--quiet");
        var layout = await CimConvertProgram.JsonAsync("convert", $"oci:{folder["image"]}", "--output", folder["layout"], "--quiet");

        Assert.That(saved.GetProperty("converted").GetRawText(), Is.EqualTo(again.GetProperty("converted").GetRawText()));
        Assert.That(
            saved.LayerPaths().Append(saved.MergedPath()).Select(Digests.OfFile),
            Is.EqualTo(layout.LayerPaths().Append(layout.MergedPath()).Select(Digests.OfFile)));
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
    }

    /// <summary>Newer Dockers save layers as they keep them, compressed, and those that are alike as links.</summary>
    [Test]
    public async Task Compressed_and_linked_layers_of_an_archive_are_found()
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().ToArray();
        using var gzipped = new MemoryStream();
        using (var gzip = new GZipStream(gzipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        using (var archive = new TarWriter(File.Create(folder["saved.tar"])))
        {
            Add(archive, "blobs/base", gzipped.ToArray());
            archive.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "one/layer.tar") { LinkName = "../blobs/base" });
            Add(archive, "config.json", Config(Digests.Of(tar)));
            Add(archive, "manifest.json", """[{"Config":"config.json","RepoTags":null,"Layers":["one/layer.tar"]}]"""u8.ToArray());
        }

        var result = await CimConvertProgram.JsonAsync("convert", $"docker-archive:{folder["saved.tar"]}", "--output", folder["store"], "--quiet");

        var layer = result.GetProperty("layers")[0];
        Assert.That(layer.GetProperty("source").GetString(), Is.EqualTo(Digests.Of(gzipped.ToArray())));
        Assert.That(layer.GetProperty("diffId").GetString(), Is.EqualTo(Digests.Of(tar)));
    }

    [TestCase("""[{"Config":"config.json","Layers":["none"]}]""", "it has no 'none'")]
    [TestCase("""[{"Config":"config.json","Layers":["loop"]}]""", "leads through more than 4 links")]
    [TestCase("""[{"Config":"config.json","Layers":["../../../etc/passwd"]}]""", "it has no '../../../etc/passwd'")]
    [TestCase("""[{"Config":"config.json","Layers":[]}]""", "lists 1 diff IDs, but the manifest has 0 layers")]
    [TestCase("""[{"Config":"config.json"}]""", "its manifest.json cannot be read")]
    [TestCase("""[null]""", "has an image that is null")]
    [TestCase("""null""", "its manifest.json is null")]
    [TestCase("""[]""", "has no image")]
    [TestCase("""[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer"]},{"Config":"config.json","Layers":["layer"]}]""", "several images; it has: a:1, one without a name")]
    [TestCase("""[{"Config":"config.json","Layers":["layer"]}]""", "its uncompressed tar (diff ID) has other content")]
    public async Task A_hostile_archive_is_one_clear_error(string manifest, string expected)
    {
        using var folder = new TempFolder();
        using (var archive = new TarWriter(File.Create(folder["saved.tar"])))
        {
            Add(archive, "layer", WindowsImage.SmallBase().ToArray());
            archive.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "loop") { LinkName = "loop" });
            Add(archive, "config.json", Config(Digests.OfText("another")));
            Add(archive, "manifest.json", Encoding.UTF8.GetBytes(manifest));
        }

        var error = await CimConvertProgram.FailAsync(1, "convert", $"docker-archive:{folder["saved.tar"]}", "--output", folder["store"], "--quiet");

        // A plain layer's bytes are its blob's and its diff ID's at once: either is a right name for what does not match.
        Assert.That(error.Replace("its blob has", "its uncompressed tar (diff ID) has", StringComparison.Ordinal), Does.Contain(expected));
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
    }

    [Test]
    public async Task An_archive_that_is_compressed_cut_or_no_tar_says_so()
    {
        using var folder = new TempFolder();
        Write(folder, LayerCompression.Gzip);
        await SaveAsync(folder);
        var whole = File.ReadAllBytes(folder["saved.tar"]);

        File.WriteAllBytes(folder["saved.tar"], whole[..(whole.Length / 2)]);
        Assert.That(await FailOnArchiveAsync(folder), Does.Contain("is not what 'docker save' writes: "));
        File.WriteAllBytes(folder["saved.tar"], SeededContent.Bytes(1, 5000));
        Assert.That(await FailOnArchiveAsync(folder), Does.Contain("a wrong header checksum"));
        File.WriteAllBytes(folder["saved.tar"], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
        Assert.That(await FailOnArchiveAsync(folder), Does.Contain("it is compressed; decompress it first"));
        File.Delete(folder["saved.tar"]);
        Assert.That(await FailOnArchiveAsync(folder), Does.Contain("saved.tar"));
    }

    private static OciImage Write(TempFolder folder, LayerCompression compression)
    {
        var image = new ImageBuilder();
        foreach (var layer in (LayerBuilder[])[WindowsImage.SmallBase(), new LayerBuilder().Directory("Files").File("Files/top.txt", "top")])
        {
            _ = compression == LayerCompression.Zstd ? image.ZstdLayer(layer) : image.Layer(layer, compression);
        }

        return image.WriteTo(folder["image"], "v1");
    }

    /// <summary>Skopeo writes what <c>docker save</c> does.</summary>
    private static async Task SaveAsync(TempFolder folder)
    {
        var skopeo = Tools.Require("skopeo");
        (await ExternalProcess.RunAsync(
            skopeo,
            ["--insecure-policy", "--override-os", "windows", "copy", $"oci:{folder["image"]}:v1", $"docker-archive:{folder["saved.tar"]}:{Name}"])).EnsureSuccess();
    }

    private static Task<string> FailAsync(TempFolder folder) =>
        CimConvertProgram.FailAsync(1, "convert", $"oci:{folder["image"]}:v1", "--output", folder["store"], "--quiet");

    private static Task<string> FailOnArchiveAsync(TempFolder folder) =>
        CimConvertProgram.FailAsync(1, "convert", $"docker-archive:{folder["saved.tar"]}", "--output", folder["store"], "--quiet");

    private static IReadOnlyList<string> Blobs(string store) => StoreFiles.Names(store, "blobs", "sha256");

    private static byte[] Config(string diffId) => Encoding.UTF8.GetBytes(
        $$$"""{"os":"windows","architecture":"amd64","os.version":"10.0.20348.1","rootfs":{"type":"layers","diff_ids":["{{{diffId}}}"]}}""");

    private static void Add(TarWriter archive, string name, byte[] content) =>
        archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
}
