using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Oracles.Cim;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>
/// The main line on a real registry: an image that skopeo pushed is converted once, by the real program, and looked at from
/// all sides. The tests only read what is there.
/// </summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class ConvertTests
{
    private const string Repository = "win/app";
    private const int Implicit = 0x800;

    private static TempFolder s_folder = null!;
    private static DockerRegistry s_registry = null!;
    private static OciImage s_image = null!;
    private static JsonElement s_result;

    private static string Reference => s_registry.Reference(Repository, "v1");

    private static string Store => s_folder["store"];

    private static string Merged => s_result.GetProperty("merged").GetProperty("path").GetString()!;

    private static IReadOnlyList<OracleEntry> Expected => WindowsImage.Expected;

    [OneTimeSetUp]
    public static async Task ConvertOnce()
    {
        Tools.Require("skopeo");
        s_registry = await DockerRegistry.StartAsync();
        s_folder = new TempFolder();
        s_image = WindowsImage.Image(WindowsImage.Layers).WriteTo(s_folder["image"], "v1");
        await Skopeo.PushAsync(s_image.Directory, "v1", Reference);
        s_result = await CimConvertProgram.ConvertAsync(Reference, Store);
    }

    [OneTimeTearDown]
    public static async Task Remove()
    {
        s_folder?.Dispose();
        if (s_registry is not null)
        {
            await s_registry.DisposeAsync();
        }
    }

    [Test]
    public void The_json_has_the_fields_that_scripts_rely_on()
    {
        var source = s_result.GetProperty("source");
        var layers = s_result.GetProperty("layers").EnumerateArray().ToArray();
        var bytes = s_result.GetProperty("bytes");
        using (Assert.EnterMultipleScope())
        {
            ConvertJson.AssertShape(s_result);
            Assert.That(s_result.GetProperty("image").GetString(), Is.EqualTo(Reference));
            Assert.That(source.GetProperty("digest").GetString(), Is.EqualTo(s_image.ManifestDigest));
            Assert.That(source.GetProperty("mediaType").GetString(), Is.EqualTo(OciImage.ManifestMediaType));
            Assert.That(source.GetProperty("platform").GetString(), Does.StartWith("windows/amd64"));
            Assert.That(s_result.GetProperty("backend").GetString(), Is.EqualTo("managed"));
            Assert.That(layers.Select(l => l.GetProperty("source").GetString()), Is.EqualTo(s_image.Layers.Select(l => l.Digest)));
            Assert.That(layers.Select(l => l.GetProperty("diffId").GetString()), Is.EqualTo(s_image.Layers.Select(l => l.DiffId)));
            Assert.That(layers.Select(l => l.GetProperty("chainId").GetString()), Is.EqualTo(s_image.Layers.Select(l => l.ChainId)));
            Assert.That(layers.Select(l => l.GetProperty("path").GetString()), Is.EqualTo(s_image.Layers.Select(LayerFile)));
            Assert.That(layers.Select(l => l.GetProperty("size").GetInt64()), Is.EqualTo(s_image.Layers.Select(l => new FileInfo(LayerFile(l)).Length)));
            Assert.That(layers.Select(l => l.GetProperty("reused").GetBoolean()), Is.All.False);
            Assert.That(layers.Select(l => l.GetProperty("integrity").ValueKind), Is.All.EqualTo(JsonValueKind.Null));
            Assert.That(Merged, Is.EqualTo(Path.Combine(Path.GetDirectoryName(LayerFile(s_image.Layers[^1]))!, "merged.bcim")));
            Assert.That(s_result.GetProperty("merged").GetProperty("size").GetInt64(), Is.EqualTo(new FileInfo(Merged).Length));
            Assert.That(bytes.GetProperty("decompressed").GetInt64(), Is.EqualTo(WindowsImage.Layers.Sum(l => l.ToArray().LongLength)));
            Assert.That(bytes.GetProperty("downloaded").GetInt64(), Is.GreaterThanOrEqualTo(s_image.Layers.Sum(l => l.Size)));
            Assert.That(
                bytes.GetProperty("written").GetInt64(),
                Is.EqualTo(new FileInfo(Merged).Length + s_image.Layers.Sum(l => new FileInfo(LayerFile(l)).Length)));
        }
    }

    [Test]
    public async Task Skopeo_reads_the_store_and_finds_the_converted_manifest()
    {
        var unnamed = (await ExternalProcess.RunAsync(Tools.Require("skopeo"), ["inspect", "--raw", $"oci:{Store}"])).EnsureSuccess();
        var named = await Skopeo.InspectRawAsync(Store, Reference);

        using var manifest = JsonDocument.Parse(named);
        var root = manifest.RootElement;
        var layers = root.GetProperty("layers").EnumerateArray().ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(named, Is.EqualTo(unnamed.OutputBytes));
            Assert.That(Digests.Of(named), Is.EqualTo(s_result.GetProperty("converted").GetProperty("digest").GetString()));
            Assert.That(named, Has.Length.EqualTo(s_result.GetProperty("converted").GetProperty("size").GetInt32()));
            Assert.That(root.GetProperty("artifactType").GetString(), Is.EqualTo("application/vnd.cimconvert.image.v1"));
            Assert.That(layers[0].GetProperty("digest").GetString(), Is.EqualTo(s_image.ConfigDigest));
            Assert.That(
                layers.Select(l => l.GetProperty("mediaType").GetString()!.Split('.')[2]),
                Is.EqualTo(new[] { "source", "layer", "layer", "layer", "layer", "merged" }));
            foreach (var blob in layers.Prepend(root.GetProperty("config")))
            {
                var digest = blob.GetProperty("digest").GetString()!;
                var path = Path.Combine(Store, "blobs", "sha256", StoreFiles.Hex(digest));
                Assert.That(Digests.OfFile(path), Is.EqualTo(digest));
                Assert.That(new FileInfo(path).Length, Is.EqualTo(blob.GetProperty("size").GetInt64()));
            }
        }
    }

    [Test]
    public void The_manifest_says_where_each_layer_comes_from()
    {
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(
            Path.Combine(Store, "blobs", "sha256", StoreFiles.Hex(s_result.GetProperty("converted").GetProperty("digest").GetString()!))));
        var annotations = manifest.RootElement.GetProperty("layers").EnumerateArray().Skip(1)
            .Select(layer => layer.GetProperty("annotations").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString(), StringComparer.Ordinal))
            .ToArray();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(annotations[..4].Select(a => a["io.cimconvert.source-digest"]), Is.EqualTo(s_image.Layers.Select(l => l.Digest)));
            Assert.That(annotations[..4].Select(a => a["io.cimconvert.diff-id"]), Is.EqualTo(s_image.Layers.Select(l => l.DiffId)));
            Assert.That(annotations[..4].Select(a => a["io.cimconvert.chain-id"]), Is.EqualTo(s_image.Layers.Select(l => l.ChainId)));
            Assert.That(annotations.Select(a => a["io.cimconvert.backend"]), Is.All.EqualTo("managed"));
            Assert.That(annotations.Select(a => a["io.cimconvert.vhd-footer"]), Is.All.EqualTo("false"));
            Assert.That(annotations.Select(a => a["io.cimconvert.cim-name"]), Is.EqualTo(new[] { "layer.cim", "layer.cim", "layer.cim", "layer.cim", "merged.cim" }));
            Assert.That(manifest.RootElement.GetProperty("annotations").GetProperty("io.cimconvert.source-digest").GetString(), Is.EqualTo(s_image.ManifestDigest));
        }
    }

    [Test]
    public async Task The_merged_cim_lists_what_the_tars_say()
    {
        var listing = (await CimConvertProgram.RunAsync("ls", Merged, "-R", "--json", "--hash")).EnsureSuccess();

        Assert.That(OracleDiff.Compare(Expected, ListedEntry.ParseLines(listing.Output)), Is.Empty);
    }

    [Test]
    public async Task The_exported_merged_cim_is_a_standard_set_of_what_the_tars_say()
    {
        using var folder = new TempFolder();
        var json = await CimConvertProgram.JsonAsync("export", Merged, folder["out"]);

        var walked = CimWalker.Walk(folder["out"], "merged.cim");
        var listed = (await CimConvertProgram.RunAsync("ls", folder["out", "merged.cim"], "-R", "--json", "--hash")).EnsureSuccess();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(OracleDiff.Compare(Expected, WalkedListing.Of(walked)), Is.Empty);
            Assert.That(OracleDiff.Compare(Expected, ListedEntry.ParseLines(listed.Output)), Is.Empty);
            Assert.That(walked.RegionSets, Has.Count.EqualTo(5));
            Assert.That(json.GetProperty("cim").GetString(), Is.EqualTo(folder["out", "merged.cim"]));
            Assert.That(
                json.GetProperty("files").EnumerateArray().Select(f => f.GetString()).Order(StringComparer.Ordinal),
                Is.EqualTo(StoreFiles.Relative(folder["out"])));
        }
    }

    [Test]
    public async Task Every_exported_layer_walks_fully([Range(0, 3)] int index)
    {
        using var folder = new TempFolder();
        (await CimConvertProgram.RunAsync("export", LayerFile(s_image.Layers[index]), folder["out"])).EnsureSuccess();

        var walked = CimWalker.Walk(folder["out"], "layer.cim");

        Assert.That(walked.Entries, Is.Not.Empty);
        Assert.That(walked.RegionSets, Has.Count.EqualTo(1));
        if (index == 0)
        {
            // A layer's CIM marks directories that only their children imply; to a reader of a single layer that means nothing.
            var unmarked = walked with { Entries = [.. walked.Entries.Select(e => e with { Flags = (ushort)(e.Flags & ~Implicit) })] };
            Assert.That(OracleDiff.Compare(TarOracle.Apply(WindowsImage.Base().ToArray()), WalkedListing.Of(unmarked)), Is.Empty);
            Assert.That(walked.Entries.Single(e => e.Path == @"Files\Sizes\zeros").Data, Has.Property("IsSparse").True);
        }
    }

    [Test]
    public async Task Identical_content_lies_in_a_layer_once()
    {
        using var folder = new TempFolder();
        (await CimConvertProgram.RunAsync("export", LayerFile(s_image.Layers[0]), folder["out"])).EnsureSuccess();

        // Zeros are nowhere, the two equal libraries in one place: what is left is the seeded content and the metadata.
        var stored = Directory.EnumerateFiles(folder["out"], "region_*").Sum(file => new FileInfo(file).Length);
        var unique = 3_000_001 + 200_000 + (5 * 8192);
        Assert.That(stored, Is.InRange(unique, unique + 450_000));
        Assert.That(CimWalker.Walk(folder["out"], "layer.cim").Entries.Count(e => e.Data?.Length == 200_000), Is.EqualTo(4));
    }

    [Test]
    public async Task Verify_finds_the_store_and_its_cims_good()
    {
        foreach (var target in s_image.Layers.Select(LayerFile).Append(Merged).Append(Store))
        {
            var result = await CimConvertProgram.RunAsync("verify", target);
            Assert.That((result.ExitCode, result.Output, result.Error), Is.EqualTo((0, $"{target}: good\n", "")));
        }
    }

    [Test]
    public void Nothing_unfinished_is_left() => Assert.That(StoreFiles.Names(Store, "ingest"), Is.Empty);

    private static string LayerFile(OciLayer layer) => Path.Combine(Store, "layers", StoreFiles.Hex(layer.ChainId), "layer.bcim");
}
