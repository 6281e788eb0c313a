using System.Text.Json;
using System.Text.Json.Nodes;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>
/// Converted images travel: what one machine pushed to a real registry, another pulls into a store that is as if it had converted. One file,
/// since all share the registry and the image in it.
/// </summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
public class PullTests
{
    private const string Repository = "win/app";
    private const string Converted = "converted/app";

    private DockerRegistry _registry = null!;
    private TempFolder _folder = null!;
    private OciImage _image = null!;

    private string Source => _registry.Reference(Repository, "v1");

    private string Target => _registry.Reference(Converted, "v1");

    [OneTimeSetUp]
    public async Task StartRegistry()
    {
        Tools.Require("skopeo");
        _registry = await DockerRegistry.StartAsync();
        _folder = new TempFolder();
        _image = WindowsImage.Image(WindowsImage.Layers).WriteTo(_folder["image"], "v1");
        await Skopeo.PushAsync(_image.Directory, "v1", Source);
    }

    [OneTimeTearDown]
    public async Task StopRegistry()
    {
        await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [TestCase("block", "zstd")]
    [TestCase("block", "gzip")]
    [TestCase("block", "none", "--integrity", "--vhd-footer")]
    [TestCase("block", "zstd", "--integrity")]
    [TestCase("block", "zstd", "--vhd-footer")]
    [TestCase("forked", "zstd")]
    public async Task A_store_that_is_pulled_is_byte_for_byte_the_store_that_is_converted(string format, string compression, params string[] form)
    {
        using var folder = new TempFolder();
        string[] options = ["--backend", "managed", "--format", format, .. form];
        var target = _registry.Reference($"pull/{TestContext.CurrentContext.Test.ID}", "v1");
        await CimConvertProgram.ConvertAsync(Source, folder["converted"], options);
        await CimConvertProgram.ConvertAsync(Source, folder["pushing"], [.. options, "--push", target, "--push-compression", compression, "--concurrency", "1"]);

        var result = await PullAsync(Source, folder["pulled"], [.. options, "--from", target, "--concurrency", "8"]);
        await PullAsync(Source, folder["one-by-one"], [.. options, "--from", target, "--concurrency", "1"]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(StoreFiles.Snapshot(folder["pulled"]), Is.EqualTo(StoreFiles.Snapshot(folder["converted"])));
            Assert.That(StoreFiles.Snapshot(folder["one-by-one"]), Is.EqualTo(StoreFiles.Snapshot(folder["converted"])));
            Assert.That(result.GetProperty("from").GetProperty("foundBy").GetString(), Is.EqualTo("pattern"));
            Assert.That(result.Reused(), Is.All.False);
            Assert.That((await CimConvertProgram.RunAsync("verify", folder["pulled"])).ExitCode, Is.Zero);
        }

        var again = await PullAsync(Source, folder["pulled"], [.. options, "--from", target]);
        Assert.That(again.Reused(), Is.All.True);
        Assert.That(again.GetProperty("bytes").GetProperty("written").GetInt64(), Is.Zero);
    }

    [Test]
    public async Task The_converted_image_is_found_by_its_own_name_and_among_what_refers_to_the_source()
    {
        using var folder = new TempFolder();
        var target = _registry.Reference(Repository, "v1-cim");
        await CimConvertProgram.ConvertAsync(Source, folder["converted"], "--push", target, "--subject");

        var named = await PullAsync(target, folder["named"], "--verify-source");
        var referred = await PullAsync(Source, folder["referred"]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(named.GetProperty("from").GetProperty("foundBy").GetString(), Is.EqualTo("name"));
            Assert.That(named.GetProperty("source").GetProperty("digest").GetString(), Is.EqualTo(_image.ManifestDigest));
            Assert.That(referred.GetProperty("from").GetProperty("foundBy").GetString(), Is.EqualTo("referrers"));
            Assert.That(Snapshot(folder["referred"]), Is.EqualTo(Snapshot(folder["converted"])));
            Assert.That(
                Snapshot(folder["named"]).Where(file => !file.StartsWith("index.json", StringComparison.Ordinal)),
                Is.EqualTo(Snapshot(folder["converted"]).Where(file => !file.StartsWith("index.json", StringComparison.Ordinal))),
                "only the name in the index is another");
        }
    }

    [Test]
    public async Task Verifying_the_source_needs_a_subject()
    {
        using var folder = new TempFolder();
        await CimConvertProgram.ConvertAsync(Source, folder["converted"], "--push", Target);

        var error = await CimConvertProgram.FailAsync(1, "pull", Target, "--plain-http", "--quiet", "--output", folder["store"], "--verify-source");

        Assert.That(error, Does.Contain("does not name its source as its subject").And.Contains("--subject"));
        Assert.That(StoreFiles.Names(folder["store"], "layers"), Is.Empty);
    }

    [Test]
    public async Task A_base_that_was_converted_here_is_not_pulled_again()
    {
        using var folder = new TempFolder();
        await CimConvertProgram.ConvertAsync(Source, folder["converted"], "--push", Target);
        var small = WindowsImage.Image(WindowsImage.Layers.Take(2)).WriteTo(folder["base"], "v1");
        await Skopeo.PushAsync(small.Directory, "v1", _registry.Reference("win/base", "v1"));
        await CimConvertProgram.ConvertAsync(_registry.Reference("win/base", "v1"), folder["store"]);

        var result = await PullAsync(Source, folder["store"], "--from", Target);

        Assert.That(result.Reused(), Is.EqualTo(new[] { true, true, false, false }));
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
    }

    [Test]
    public async Task Where_nobody_has_converted_the_image_pull_says_where_it_looked_and_converts_only_if_asked()
    {
        using var folder = new TempFolder();
        var nowhere = _registry.Reference("no/such", "tag");

        var error = await CimConvertProgram.FailAsync(1, "pull", Source, "--plain-http", "--quiet", "--output", folder["store"], "--from", nowhere, "--vhd-footer");
        var result = await PullAsync(Source, folder["store"], "--from", nowhere, "--vhd-footer", "--or-convert");

        Assert.That(error, Does.Contain("no converted image was found").And.Contains(_image.ManifestDigest).And.Contains(nowhere).And.Contains("managed block CIMs, with VHD footer"));
        Assert.That(result.TryGetProperty("from", out _), Is.False);
        Assert.That(result.LayerPaths().Select(Path.GetFileName), Is.All.EqualTo("layer.vhd"));
    }

    [Test]
    public async Task An_image_that_is_converted_already_is_not_converted_again()
    {
        using var folder = new TempFolder();
        await CimConvertProgram.ConvertAsync(Source, folder["converted"], "--push", Target);

        var error = await CimConvertProgram.FailAsync(1, "convert", Target, "--plain-http", "--quiet", "--output", folder["store"]);

        Assert.That(error, Does.Contain("it is converted already").And.Contains(_image.ManifestDigest).And.Contains("cimconvert pull"));
    }

    [Test]
    public async Task Compressed_for_transport_it_is_smaller_and_the_next_push_sends_nothing()
    {
        using var folder = new TempFolder();
        var target = _registry.Reference("smaller/app", "v1");
        var first = await CimConvertProgram.ConvertAsync(Source, folder["store"], "--push", target);
        var again = await CimConvertProgram.ConvertAsync(Source, folder["store"], "--push", target);
        var elsewhere = await CimConvertProgram.ConvertAsync(Source, folder["other"], "--push", target);

        var manifest = JsonNode.Parse(await Skopeo.InspectRawAsync(target))!;
        var layers = manifest["layers"]!.AsArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(layers.Sum(layer => layer!["size"]!.GetValue<long>()), Is.LessThan(first.GetProperty("bytes").GetProperty("written").GetInt64()));
            Assert.That(
                layers.Select(layer => layer!["mediaType"]!.GetValue<string>().Contains('+', StringComparison.Ordinal)),
                Is.EqualTo(new[] { true, false, true, true, true, true }),
                "all but the base, which is of random bytes and would not get smaller");
            Assert.That(layers.Select(layer => layer!["annotations"]!["org.opencontainers.image.title"]!.GetValue<string>()), Is.Unique);
            Assert.That(manifest["config"]!["mediaType"]!.GetValue<string>(), Is.EqualTo("application/vnd.oci.empty.v1+json"));
            Assert.That(again.GetProperty("pushed").GetProperty("bytes").GetInt64(), Is.Zero);
            Assert.That(elsewhere.GetProperty("pushed").GetProperty("bytes").GetInt64(), Is.Zero, "the same bytes come out of another store");
            Assert.That(elsewhere.GetProperty("pushed").GetProperty("digest").GetString(), Is.EqualTo(first.GetProperty("pushed").GetProperty("digest").GetString()));
            Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
            Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
        }
    }

    [Test]
    public async Task A_push_onto_the_source_is_refused_before_anything_is_converted()
    {
        using var folder = new TempFolder();
        var before = await Skopeo.InspectRawAsync(Source);

        var error = await CimConvertProgram.FailAsync(1, "convert", Source, "--plain-http", "--quiet", "--output", folder["store"], "--push", Source);

        Assert.That(error, Does.Contain("is the source itself, which the push would replace: nothing is pushed"));
        Assert.That(StoreFiles.Names(folder["store"], "layers"), Is.Empty);
        Assert.That(await Skopeo.InspectRawAsync(Source), Is.EqualTo(before));
    }

    [Test]
    public async Task A_list_takes_what_others_converted_converts_the_rest_and_says_which()
    {
        using var folder = new TempFolder();
        var (taken, made) = (_registry.Reference("list/taken", "v1"), _registry.Reference("list/made", "v1"));
        await Skopeo.PushAsync(_image.Directory, "v1", taken);
        var other = WindowsImage.Image(WindowsImage.Layers.Take(3)).WriteTo(folder["other"], "v1");
        await Skopeo.PushAsync(other.Directory, "v1", made);
        await CimConvertProgram.ConvertAsync(taken, folder["converted"], "--push", _registry.Reference("from/list/taken", "v1"), "--push-compression", "gzip");

        var prefer = await PrewarmAsync(folder, "prefer", expected: 0);
        var only = await PrewarmAsync(folder, "only", expected: 3);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Outcomes(prefer), Is.EqualTo(new[] { "pulled", "converted" }));
            Assert.That(prefer.GetProperty("images")[0].GetProperty("conversion").GetProperty("from").GetProperty("reference").GetString(), Does.Contain("from/list/taken"));
            Assert.That(Outcomes(only), Is.EqualTo(new[] { "pulled", "failed" }));
            Assert.That(only.GetProperty("images")[1].GetProperty("error").GetString(), Does.Contain("no converted image was found"));
        }

        async Task<JsonElement> PrewarmAsync(TempFolder folder, string key, int expected)
        {
            await File.WriteAllTextAsync(folder[$"{key}.yaml"], $$"""
                store: {{folder[key]}}
                registries: { plainHttp: true }
                concurrency: { images: 1 }
                defaults: { {{key}}: converted, from: "{{_registry.Host}}/from/{repository}:{tag}" }
                images: [ "{{taken}}", "{{made}}" ]
                """);
            var run = await CimConvertProgram.RunAsync("prewarm", folder[$"{key}.yaml"], "--json", "--quiet");
            Assert.That(run.ExitCode, Is.EqualTo(expected), run.Error);
            return JsonDocument.Parse(run.OutputBytes).RootElement.Clone();
        }
    }

    [Test]
    public async Task A_list_whose_pattern_would_destroy_anything_pushes_nothing()
    {
        using var folder = new TempFolder();
        await Skopeo.PushAsync(_image.Directory, "v1", _registry.Reference("precious/app", "v1"));
        await File.WriteAllTextAsync(folder["list.yaml"], $$"""
            store: {{folder["store"]}}
            registries: { plainHttp: true }
            images:
              - { image: "{{Source}}", push: "{{_registry.Host}}/free/app:v1" }
              - { image: "{{_registry.Reference("win/other", "v1")}}", push: "{{_registry.Host}}/precious/app:v1" }
            """);

        var error = await CimConvertProgram.FailAsync(1, "prewarm", folder["list.yaml"], "--quiet");

        Assert.That(error, Does.Contain("precious/app:v1 stands for something else").And.Contains("nothing is pushed"));
        Assert.That(_registry.CountRequests("PUT", "/v2/free/app/"), Is.Zero);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "signals of Unix")]
    public async Task A_pull_that_is_killed_is_taken_up_by_the_next()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        registry.AddLayout(Repository, _image.Directory);
        var (source, target) = ($"{registry.Host}/{Repository}:v1", $"{registry.Host}/{Converted}:v1");
        await CimConvertProgram.ConvertAsync(source, folder["converted"], "--push", target, "--push-compression", "none");
        registry.Faults.Add(Fault.StallAfter("/blobs/", 600_000, Fault.Always));
        await using var run = CimConvertProgram.Start("pull", source, "--plain-http", "--output", folder["pulled"], "--from", target, "--quiet");
        await registry.WaitForRequestAsync($"/v2/{Converted}/blobs/", CimConvertProgram.Patience);

        run.Kill();
        await run.WaitAsync(CimConvertProgram.Patience);
        registry.Faults.Clear();
        await PullAsync(source, folder["pulled"], "--from", target);

        Assert.That(Snapshot(folder["pulled"]), Is.EqualTo(Snapshot(folder["converted"])));
        Assert.That(StoreFiles.Names(folder["pulled"], "ingest"), Is.Empty);
    }

    [Test]
    public async Task Images_that_share_layers_fetch_each_converted_layer_once()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var names = Enumerable.Range(0, 6).Select(i => $"win/app{i}").ToArray();
        foreach (var (i, name) in names.Index())
        {
            WindowsImage.Image(WindowsImage.Layers.Take(1 + (i % 4))).WriteTo(folder[name], "v1");
            registry.AddLayout(name, folder[name]);
            await CimConvertProgram.ConvertAsync($"{registry.Host}/{name}:v1", folder["converted"], "--push", $"{registry.Host}/converted/{name}:v1");
        }

        await File.WriteAllTextAsync(folder["list.yaml"], $$"""
            store: {{folder["node"]}}
            registries: { plainHttp: true }
            concurrency: { images: 4 }
            defaults: { only: converted, from: "{{registry.Host}}/converted/{repository}:{tag}" }
            images: [ {{string.Join(", ", names.Select(name => $"{registry.Host}/{name}:v1"))}} ]
            """);
        var before = registry.Requests.Count;

        var report = await CimConvertProgram.JsonAsync("prewarm", folder["list.yaml"], "--quiet");

        var blobs = registry.Requests.Skip(before).Where(request => request.Method == "GET" && request.Path.Contains("/blobs/", StringComparison.Ordinal)).ToArray();
        var fetched = blobs.Select(request => request.Path[(request.Path.LastIndexOf('/') + 1)..]).ToArray();
        var files = StoreFiles.Names(folder["node"], "layers").Count;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(files, Is.EqualTo(4), "four distinct chains");
            Assert.That(Outcomes(report), Is.All.AnyOf("pulled", "ready"));
            Assert.That(blobs.Where(request => !request.Path.StartsWith("/v2/converted/", StringComparison.Ordinal)).Select(request => request.Path), Is.All.Match("^/v2/win/"), "only configs of sources");
            Assert.That(fetched.CountBy(digest => digest).Where(count => IsLayer(folder, count.Key)).Select(count => count.Value), Is.All.EqualTo(1));
            Assert.That((await CimConvertProgram.RunAsync("verify", folder["node"])).ExitCode, Is.Zero);
        }
    }

    /// <summary>Whether a blob is no config: those are small JSON documents, which every image reads.</summary>
    private static bool IsLayer(TempFolder folder, string digest) => !StoreFiles.Names(folder["node"], "blobs", "sha256")
        .Contains(StoreFiles.Hex(digest), StringComparer.Ordinal) || new FileInfo(Path.Combine(folder["node"], "blobs", "sha256", StoreFiles.Hex(digest))).Length > 4096;

    private static IEnumerable<string> Outcomes(JsonElement report) => report.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("outcome").GetString()!);

    /// <summary>A store that was pushed from also has what its files were compressed to.</summary>
    private static IEnumerable<string> Snapshot(string store) =>
        StoreFiles.Snapshot(store).Where(file => !file.Contains("/transport.json ", StringComparison.Ordinal));

    private static Task<JsonElement> PullAsync(string reference, string store, params IEnumerable<string> more) =>
        CimConvertProgram.JsonAsync(["pull", reference, "--plain-http", "--output", store, "--quiet", .. more]);
}
