using System.Text.Json;
using System.Text.Json.Nodes;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>The batch job: many images, one store.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class PrewarmTests
{
    private const int ImageCount = 30;

    [Test]
    public async Task Thirty_images_fetch_each_layer_once_and_are_what_one_by_one_conversion_makes()
    {
        using var folder = new TempFolder();
        await using var registry = await DockerRegistry.StartAsync();
        var images = WriteSharing(folder["images"], ImageCount);
        foreach (var image in images)
        {
            await registry.PutAsync("win/app", image);
        }

        var list = WriteList(folder, "store", images.Select(image => registry.Reference("win/app", image.RefName)), "concurrency: {images: 4, downloads: 4, imports: 2}");
        var result = await PrewarmAsync(list, folder["report.json"]);

        var totals = result.GetProperty("totals");
        Assert.That(totals.GetProperty("converted").GetInt32(), Is.EqualTo(ImageCount));
        Assert.That(result.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("image").GetString()), Is.EqualTo(images.Select(i => registry.Reference("win/app", i.RefName))));
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(await File.ReadAllTextAsync(folder["report.json"])), JsonNode.Parse(result.GetRawText())), Is.True);
        var layers = images.SelectMany(image => image.Layers).Select(layer => layer.Digest).Distinct().ToArray();
        Assert.That(layers, Has.Length.EqualTo(1 + 3 + ImageCount));
        Assert.That(layers.Select(layer => registry.CountRequests("GET", "blobs/" + layer)), Is.All.EqualTo(1));

        var again = await PrewarmAsync(list, folder["report.json"]);
        Assert.That(again.GetProperty("totals").GetProperty("ready").GetInt32(), Is.EqualTo(ImageCount));
        Assert.That(layers.Select(layer => registry.CountRequests("GET", "blobs/" + layer)), Is.All.EqualTo(1), "nothing is fetched again");

        foreach (var image in images)
        {
            await CimConvertProgram.ConvertAsync(registry.Reference("win/app", image.RefName), folder["one-by-one"]);
        }

        Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(StoreFiles.Snapshot(folder["one-by-one"])));
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
    }

    [Test]
    public async Task What_fails_is_told_and_the_rest_is_done()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = WriteSharing(folder["images"], 3);
        registry.AddLayout("win/app", folder["images"]);
        string[] names = [Name(registry, images[0]), $"{registry.Host}/win/none:v1", Name(registry, images[2])];
        var list = WriteList(folder, "store", names);

        var result = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--json", "--quiet");

        Assert.That(result.ExitCode, Is.EqualTo(3), result.Error);
        var json = JsonDocument.Parse(result.OutputBytes).RootElement.GetProperty("images").EnumerateArray().ToArray();
        Assert.That(json.Select(i => i.GetProperty("outcome").GetString()), Is.EqualTo(new[] { "converted", "failed", "converted" }));
        Assert.That(json[1].GetProperty("error").GetString(), Does.StartWith(names[1]).And.Contains("no such tag"));
        Assert.That(json[1].GetProperty("conversion").ValueKind, Is.EqualTo(JsonValueKind.Null));

        var text = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--quiet");
        Assert.That(text.ExitCode, Is.EqualTo(3));
        Assert.That(text.Output, Does.Contain("2 of 3 images are ready").And.Contains($"failed: {names[1]}"));
    }

    [Test]
    public async Task Where_a_list_does_not_keep_going_the_first_failure_ends_it()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = WriteSharing(folder["images"], 3);
        registry.AddLayout("win/app", folder["images"]);
        var list = WriteList(folder, "store", [$"{registry.Host}/win/none:v1", .. images.Select(i => Name(registry, i))], "keepGoing: false", "concurrency: {images: 1}");

        var result = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--json", "--quiet");

        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        var outcomes = JsonDocument.Parse(result.OutputBytes).RootElement.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("outcome").GetString());
        Assert.That(outcomes, Is.EqualTo(new[] { "failed", "notStarted", "notStarted", "notStarted" }));
    }

    [Test]
    public async Task Troubles_that_pass_cost_a_retry_and_no_image()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = WriteSharing(folder["images"], 2);
        registry.AddLayout("win/app", folder["images"]);
        registry.Faults.Add(Fault.Status("manifests/", 503, times: 6));
        var list = WriteList(folder, "store", images.Select(i => Name(registry, i)), "concurrency: {images: 1}");

        var result = (await CimConvertProgram.JsonAsync("prewarm", list, "--plain-http", "--quiet")).GetProperty("images")[0];

        Assert.That(result.GetProperty("outcome").GetString(), Is.EqualTo("converted"));
        Assert.That(result.GetProperty("attempts").GetInt32(), Is.EqualTo(2), "five requests are an attempt's");
        Assert.That(result.GetProperty("retries").GetInt32(), Is.EqualTo(5));
    }

    [Test]
    public async Task A_dry_run_says_what_there_is_to_do_and_does_none_of_it()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = WriteSharing(folder["images"], 3);
        registry.AddLayout("win/app", folder["images"]);
        await CimConvertProgram.ConvertAsync(Name(registry, images[0]), folder["store"]);
        var before = StoreFiles.Snapshot(folder["store"]);
        var list = WriteList(folder, "store", images.Select(i => Name(registry, i)));

        var plan = await CimConvertProgram.JsonAsync("prewarm", list, "--plain-http", "--quiet", "--dry-run");

        var missing = images.Skip(1).SelectMany(i => i.Layers).DistinctBy(l => l.ChainId).Where(l => images[0].Layers.All(have => have.ChainId != l.ChainId)).ToArray();
        Assert.That(plan.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("toConvert").GetInt32()), Is.EqualTo(new[] { 0, 2, 2 }));
        Assert.That(plan.GetProperty("toFetch").GetInt64(), Is.EqualTo(missing.Sum(l => l.Size)));
        Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(before));
        var text = await CimConvertProgram.SucceedAsync("prewarm", list, "--plain-http", "--quiet", "--dry-run");
        Assert.That(text.Output, Does.Contain("to fetch, 4 layers to convert"));
        Assert.That(Directory.Exists(folder["none"]), Is.False);
    }

    [Test]
    public async Task Shards_together_do_the_whole_list_and_push_it()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = WriteSharing(folder["images"], 6);
        registry.AddLayout("win/app", folder["images"]);
        var list = WriteList(folder, "unused", images.Select(i => Name(registry, i)), $"defaults: {{push: '{registry.Host}/converted/{{repository}}:{{tag}}'}}");

        var done = new List<string>();
        for (var shard = 0; shard < 3; shard++)
        {
            var part = FormattableString.Invariant($"{shard}/3");
            var result = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--quiet", "--json", "--shard", part, "--output", folder[$"store-{shard}"]);
            Assert.That(result.ExitCode, Is.Zero, result.Error);
            done.AddRange(JsonDocument.Parse(result.OutputBytes).RootElement.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("image").GetString()!));
        }

        Assert.That(done, Is.EquivalentTo(images.Select(i => Name(registry, i))));
        Assert.That(
            images.Select(i => registry.Requests.Count(r => r.Method == "PUT" && r.Path == $"/v2/converted/win/app/manifests/{i.RefName}")), Is.All.EqualTo(1));
    }

    [Test]
    public async Task What_the_registry_has_of_the_same_source_made_the_same_way_is_left_alone()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = WriteSharing(folder["images"], 2);
        registry.AddLayout("win/app", folder["images"]);
        string[] push = [$"defaults: {{push: '{registry.Host}/converted/{{repository}}:{{tag}}'}}", "skipPushed: true", "concurrency: {images: 1}"];
        Assert.That(await OutcomesAsync("first", push), Is.EqualTo(new[] { "converted", "converted" }));

        // Another machine, with nothing in its store.
        Assert.That(await OutcomesAsync("second", push), Is.EqualTo(new[] { "pushed", "pushed" }));
        Assert.That(StoreFiles.Names(folder["second"], "layers"), Is.Empty);

        // A tag that has moved, and another way to make it.
        registry.AddTag("win/app", images[0].RefName, images[1].ManifestDigest);
        Assert.That(await OutcomesAsync("third", push), Is.EqualTo(new[] { "converted", "pushed" }));
        push[0] = push[0].Replace("{push", "{subject: true, push", StringComparison.Ordinal);
        Assert.That(await OutcomesAsync("subject", push), Has.None.EqualTo("pushed"));
        push[0] = push[0].Replace("{subject", "{integrity: true, subject", StringComparison.Ordinal);
        Assert.That(await OutcomesAsync("fourth", push), Is.EquivalentTo(new[] { "converted", "ready" }), "both tags name one image now");

        async Task<string?[]> OutcomesAsync(string store, string[] more) =>
            [.. (await PrewarmAsync(WriteList(folder, store, images.Select(i => Name(registry, i)), more))).GetProperty("images").EnumerateArray().Select(i => i.GetProperty("outcome").GetString())];
    }

    [Test]
    public async Task A_list_edited_between_runs_adds_what_is_new_and_leaves_the_rest()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = WriteSharing(folder["images"], 3);
        registry.AddLayout("win/app", folder["images"]);
        await PrewarmAsync(WriteList(folder, "store", [Name(registry, images[0]), Name(registry, images[1])]));

        var result = await PrewarmAsync(WriteList(folder, "store", [Name(registry, images[2]), Name(registry, images[1])]));

        Assert.That(result.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("outcome").GetString()), Is.EqualTo(new[] { "converted", "ready" }));
        Assert.That(registry.Requests.Count(r => r.Path.EndsWith(images[0].Layers[0].Digest, StringComparison.Ordinal)), Is.EqualTo(1), "the base layer is shared");
        Assert.That(StoreFiles.Names(folder["store"], "layers"), Has.Count.EqualTo(images.SelectMany(i => i.Layers).DistinctBy(l => l.ChainId).Count()), "what is no longer listed is gc's to remove");
    }

    [Test]
    public async Task A_wrong_list_is_wrong_usage_with_a_place()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["list.yaml"], "store: s\nimages: [a]\nimage: b\n");
        var error = await CimConvertProgram.FailAsync(2, "prewarm", folder["list.yaml"]);
        Assert.That(error, Does.StartWith($"error: {folder["list.yaml"]}:3:1: unknown key 'image'"));
        Assert.That(await CimConvertProgram.FailAsync(1, "prewarm", folder["none.yaml"]), Does.Contain("none.yaml"));
        Assert.That(await CimConvertProgram.FailAsync(2, "prewarm", folder["list.yaml"], "--shard", "4/4"), Does.Contain("'4/4' is no part of a list"));
    }

    [Test]
    public async Task Log_lines_as_json_name_the_image_and_the_layer()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = WriteSharing(folder["images"], 1)[0];
        registry.AddLayout("win/app", folder["images"]);
        var result = await CimConvertProgram.RunAsync(
            "prewarm", WriteList(folder, "store", [Name(registry, image)]), "--plain-http", "--log-format", "json");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var lines = result.Error.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!.AsObject()).ToArray();
        Assert.That(lines.Select(line => (string?)line["image"]), Is.All.EqualTo(Name(registry, image)));
        var imported = lines.Where(line => ((string)line["message"]!).Contains(": imported ", StringComparison.Ordinal)).ToArray();
        Assert.That(imported.Select(line => (string?)line["layer"]), Is.EquivalentTo(image.Layers.Select(layer => layer.Digest)));
        Assert.That(lines.Select(line => (string?)line["level"]), Is.All.EqualTo("info"));
    }

    [Test]
    public async Task A_bandwidth_limit_and_few_imports_change_nothing_but_the_time()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = WriteSharing(folder["images"], 2);
        registry.AddLayout("win/app", folder["images"]);
        var names = images.Select(i => Name(registry, i)).ToArray();
        await PrewarmAsync(WriteList(folder, "limited", names, "bandwidth: 20MiB/s", "concurrency: {images: 2, downloads: 1, imports: 1}"));
        await PrewarmAsync(WriteList(folder, "free", names, "concurrency: {images: 2, downloads: 64, imports: 64}"));
        Assert.That(StoreFiles.Snapshot(folder["limited"]), Is.EqualTo(StoreFiles.Snapshot(folder["free"])));
        Assert.That(StoreFiles.Names(folder["limited"], "ingest"), Is.Empty);
    }

    /// <summary>Images of three layers: a base that all share, one of three that every third shares, and one of their own.</summary>
    internal static IReadOnlyList<OciImage> WriteSharing(string folder, int count, int largest = 5 << 20)
    {
        var images = new List<OciImage>();
        for (var i = 0; i < count; i++)
        {
            var (own, shared) = (i, i % 3);
            images.Add(new ImageBuilder()
                .Layer(WindowsImage.SmallBase().File("Files/large", largest, () => SeededContent.Stream(100, largest)), LayerCompression.None)
                .Layer(new LayerBuilder().Directory("Files").File(FormattableString.Invariant($"Files/shared{shared}"), SeededContent.Bytes(shared + 10, 100_000)))
                .Layer(new LayerBuilder().Directory("Files").File("Files/own", SeededContent.Bytes(own + 1000, 20_000)))
                .WriteTo(folder, FormattableString.Invariant($"v{i}")));
        }

        return images;
    }

    internal static string WriteList(TempFolder folder, string store, IEnumerable<string> images, params string[] more)
    {
        var list = folder["list.yaml"];
        File.WriteAllLines(list, [$"store: '{folder[store]}'", "images:", .. images.Select(image => $"  - {image}"), .. more]);
        return list;
    }

    internal static string Name(FakeRegistry registry, OciImage image) => $"{registry.Host}/win/app:{image.RefName}";

    private static Task<JsonElement> PrewarmAsync(string list, string? report = null) =>
        CimConvertProgram.JsonAsync(["prewarm", list, "--plain-http", "--quiet", .. report is null ? [] : new[] { "--report", report }]);
}
