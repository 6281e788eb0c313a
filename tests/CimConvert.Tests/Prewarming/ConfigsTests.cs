using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CimConvert.Prewarming;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Prewarming;

/// <summary>The samples in configs/ are what they say, and the schemas say what the program does.</summary>
public partial class ConfigsTests
{
    private static readonly string s_configs = Path.Combine(Repository.Root, "configs");

    private static JsonSchema Schema => JsonSchema.Read(Path.Combine(s_configs, "prewarm.schema.json"));

    [Test]
    public void The_sample_list_is_read_and_fits_its_schema()
    {
        var sample = Path.Combine(s_configs, "prewarm.yaml");
        var list = PrewarmListReader.Read(sample, store: null);
        Assert.That(list.Images.Select(image => image.OsVersion), Is.EqualTo(new[] { null, "10.0.20348" }));
        Assert.That(Schema.Problems(YamlAsJson.Read(sample).Single()), Is.Empty);
    }

    /// <summary>What the sample says in comments is right, too.</summary>
    [Test]
    public void The_sample_list_is_right_with_its_comments_taken_in()
    {
        using var folder = new TempFolder();
        var sample = File.ReadAllText(Path.Combine(s_configs, "prewarm.yaml"));
        File.WriteAllText(folder["all.yaml"], Commented().Replace(sample, "${indent}${key}"));

        var list = PrewarmListReader.Read(folder["all.yaml"], store: null);

        Assert.That(list.Window, Is.Not.Null);
        Assert.That(list.Disk.MaxStore, Is.EqualTo(200L << 30));
        Assert.That(list.Images.Select(image => image.Push?.Repository), Is.EqualTo(new[] { "converted/windows/nanoserver", "converted/windows/servercore" }));
        Assert.That(Schema.Problems(YamlAsJson.Read(folder["all.yaml"]).Single()), Is.Empty);
    }

    [TestCase("all", true)]
    [TestCase("host", true)]
    [TestCase("[10.0.17763, 10.0.20348.5]", true)]
    [TestCase("newest", false)]
    [TestCase("[]", false)]
    [TestCase("[latest]", false)]
    [TestCase("[10.0.17763, '']", false)]
    public void Schema_and_reader_take_the_same_versions(string versions, bool isRight)
    {
        using var folder = new TempFolder();
        var text = $"store: s\nimages: [a]\ndefaults: {{osVersions: {versions}}}\n";
        File.WriteAllText(folder["list.yaml"], text);

        Assert.That(Schema.Problems(YamlAsJson.Read(folder["list.yaml"]).Single()), isRight ? Is.Empty : Is.Not.Empty);
        Assert.That(() => PrewarmListReader.Parse("f", text, hostVersion: "10.0.26100.1"), isRight ? Throws.Nothing : Throws.TypeOf<PrewarmListException>());
    }

    [TestCase("", "$")]
    [TestCase("registries", "$.properties.registries")]
    [TestCase("defaults", "$.properties.defaults")]
    [TestCase("concurrency", "$.properties.concurrency")]
    [TestCase("disk", "$.properties.disk")]
    [TestCase("limits", "$.properties.limits")]
    [TestCase("into", "$.properties.into")]
    public void Schema_and_reader_know_the_same_keys(string section, string path)
    {
        var unknown = section.Length == 0 ? "nope: 1" : $"{section}:\n  nope: 1";
        var known = section == "into" ? Known($"images: [a]\n{unknown}\n  containerd: {{}}\n") : Known($"store: s\nimages: [a]\n{unknown}\n");
        Assert.That(known, Is.EqualTo(Properties(path)));
    }

    [Test]
    public void Schema_and_reader_know_the_same_keys_of_containerd() => Assert.That(
        Known("images: [a]\ninto: {containerd: {nope: 1}}\n"), Is.EqualTo(Properties("$.properties.into.properties.containerd")));

    [Test]
    public void The_sample_list_for_containerd_is_read_and_fits_its_schema()
    {
        var sample = Path.Combine(s_configs, "prewarm-containerd.yaml");
        var into = PrewarmListReader.Read(sample).Into!;
        Assert.That(into.Address.ToString(), Is.EqualTo("npipe:////./pipe/containerd-containerd"));
        Assert.That((into.Namespace, into.Snapshotter, into.State, into.Pin, into.LayerBlobs), Is.EqualTo(("k8s.io", "auto", @"C:\ProgramData\cimconvert", true, false)));
        Assert.That(Schema.Problems(YamlAsJson.Read(sample).Single()), Is.Empty);
    }

    [Test]
    public void Schema_and_reader_know_the_same_keys_of_an_image() => Assert.That(
        Known("store: s\nimages:\n  - image: a\n    nope: 1\n"), Is.EqualTo(Properties("$.properties.images.items.oneOf[1]")));

    [TestCase("indexed-job.yaml")]
    [TestCase("hostprocess-daemonset.yaml")]
    public void Kubernetes_manifests_fit_their_schema_and_hold_a_right_list(string file)
    {
        var schema = JsonSchema.Read(Path.Combine(Repository.Root, "tests", "CimConvert.Tests", "Prewarming", "kubernetes.schema.json"));
        var documents = YamlAsJson.Read(Path.Combine(s_configs, "kubernetes", file));
        foreach (var document in documents)
        {
            Assert.That(schema.Problems(document), Is.Empty);
        }

        var list = (string)documents[0]!["data"]!["list.yaml"]!;
        Assert.That(PrewarmListReader.Parse(file, list).Images, Is.Not.Empty);
        Assert.That(documents[0]!["metadata"]!["name"]!.ToString(), Is.EqualTo(Mounted(documents[1]!)));
    }

    [Test]
    public void The_kubernetes_schema_refuses_what_is_misspelt()
    {
        var schema = JsonSchema.Read(Path.Combine(Repository.Root, "tests", "CimConvert.Tests", "Prewarming", "kubernetes.schema.json"));
        var job = YamlAsJson.Read(Path.Combine(s_configs, "kubernetes", "indexed-job.yaml"))[1]!.AsObject();
        var container = job["spec"]!["template"]!["spec"]!["containers"]![0]!.AsObject();
        container["comand"] = new JsonArray("x");
        Assert.That(schema.Problems(job), Has.Exactly(1).Contains("'comand' is not known"));
    }

    [GeneratedRegex("^(?<indent> *)# (?<key>[a-zA-Z]+: )", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Commented();

    private static string Mounted(JsonNode workload) => workload["spec"]!["template"]!["spec"]!["volumes"]!.AsArray()
        .Select(volume => (string?)volume!["configMap"]?["name"]).Single(name => name is not null)!;

    private static string[] Known(string yaml)
    {
        var error = Assert.Throws<PrewarmListException>(() => PrewarmListReader.Parse("list.yaml", yaml))!.Message;
        return error[(error.IndexOf("known here: ", StringComparison.Ordinal) + "known here: ".Length)..].Split(", ");
    }

    private static string[] Properties(string path)
    {
        JsonNode node = JsonNode.Parse(File.ReadAllText(Path.Combine(s_configs, "prewarm.schema.json")))!;
        foreach (var part in path.Split('.').Skip(1))
        {
            node = part.Split('[') is [var name, var index] ? node[name]![int.Parse(index.TrimEnd(']'), System.Globalization.CultureInfo.InvariantCulture)]! : node[part]!;
        }

        return [.. node["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.Ordinal)];
    }
}
