using System.Text;
using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Real daemons that have what is needed and do not use it: the lines that are told, put into their files, change that.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Platform(Exclude = "Win", Reason = "Debian's containerd")]
public class DoctorTests
{
    private static readonly string[] s_configured = ["cri-snapshotter", "unpack-config", "diff-service", "image-volumes"];

    [TestCase(ContainerdVersion.V1_6, "failed ok unknown warning", "ok ok unknown ok")]
    [TestCase(ContainerdVersion.V1_7, "failed ok failed warning", "ok ok ok ok")]
    [TestCase(ContainerdVersion.V2_1, "failed failed failed warning", "ok ok ok ok")]
    public async Task The_lines_make_a_node_fit(ContainerdVersion version, string before, string after)
    {
        await using var node = await Node.StartAsync(version);
        var first = await node.DoctorAsync();
        Assert.That(first.Statuses(s_configured), Is.EqualTo(before), first.ToString());
        Assert.That(first.Statuses("containerd", "snapshotter", "differ"), Is.EqualTo(
            version switch { ContainerdVersion.V1_6 => "warning ok failed", ContainerdVersion.V1_7 => "warning ok ok", _ => "ok ok ok" }));
        Assert.That(first.Statuses("windows", "writer"), Is.EqualTo("unknown unknown"), "they are not told to be ok where there is no Windows");
        Assert.That((first.ExitCode, first.IsFit), Is.EqualTo((4, false)));

        node.Put(first.Configuration);
        await node.Daemon.RestartAsync();
        var second = await node.DoctorAsync();
        Assert.That(second.Statuses(s_configured), Is.EqualTo(after), second.ToString());
        Assert.That(second.Statuses("disk"), Is.AnyOf("ok", "warning", "failed"), "CRI tells the folder of a snapshotter that does not");
        Assert.That(second.Configuration, Is.Empty);
        Assert.That(second.Statuses("differ"), Is.EqualTo(version == ContainerdVersion.V1_6 ? "failed" : "ok"), "1.6 takes no proxy differs");
        Assert.That((second.ExitCode, second.IsFit), Is.EqualTo(second.HasFailed ? (4, false) : (0, true)));
    }

    [TestCase("", "[plugins.\"io.containerd.cri.v1.images\"]")]
    [TestCase("[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n", "[plugins.\"io.containerd.grpc.v1.cri\".containerd]")]
    public async Task A_file_of_version_2_stays_one_with_containerd_2(string more, string table)
    {
        await using var node = await Node.StartAsync(ContainerdVersion.V2_1);
        node.Edit(text => text.Replace("version = 3", "version = 2", StringComparison.Ordinal)
            .Replace("[plugins.\"io.containerd.cri.v1.images\"]\n", "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n", StringComparison.Ordinal)
            .Replace("use_local_image_pull = false\n", string.Empty, StringComparison.Ordinal)
            .Replace("[plugins.\"io.containerd.cri.v1.runtime\"]\nrestrict_oom_score_adj = true\n", string.Empty, StringComparison.Ordinal)
            .Replace("io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", StringComparison.Ordinal)
            .Replace("io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri", StringComparison.Ordinal) + more);
        await node.Daemon.RestartAsync();
        var first = await node.DoctorAsync();
        Assert.That(first.Statuses(s_configured), Is.EqualTo("failed failed failed warning"), first.ToString());
        Assert.That(first.Configuration, Has.Some.EqualTo(table));

        node.Put(first.Configuration);
        await node.Daemon.RestartAsync();
        var second = await node.DoctorAsync();
        Assert.That(second.Statuses(s_configured), Is.EqualTo("ok ok ok ok"), second.ToString());
    }

    [Test]
    public async Task A_differ_that_is_not_loaded_is_said_and_not_told_to_be_listed()
    {
        await using var node = await Node.StartAsync(ContainerdVersion.V2_1);
        node.Edit(text => text + "\n[plugins.\"io.containerd.service.v1.diff-service\"]\ndefault = [\"gone\", \"walking\"]\n");
        var found = await node.DoctorAsync();
        Assert.That(found.Messages["diff-service"], Does.Contain("gone, which is not loaded"));
        Assert.That(found.Configuration, Has.Some.EqualTo("default = ['cimconvert', 'walking']").And.None.Contains("gone"));
    }

    [Test]
    public async Task A_node_without_the_snapshotter_is_not_told_to_use_it()
    {
        await using var node = await Node.StartAsync(ContainerdVersion.V2_1);
        var found = await node.DoctorAsync("--snapshotter", "blockcim");
        Assert.That(found.ExitCode, Is.EqualTo(4));
        Assert.That(found.Statuses("snapshotter", "differ", "cri-snapshotter", "disk"), Is.EqualTo("failed unknown unknown unknown"), found.ToString());
        Assert.That(found.Configuration, Is.Empty);
    }

    [Test]
    public async Task Text_is_a_line_for_each_check_and_then_the_lines_of_the_file()
    {
        await using var node = await Node.StartAsync(ContainerdVersion.V2_1);
        var missing = node.Folder["missing.toml"];
        var result = await CimConvertProgram.RunAsync("doctor", "--containerd", node.Daemon.Address, "--config", missing);
        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Is.Empty);
        Assert.That(result.Output, Does.Contain("ok       snapshotter: cimfs is loaded\n").And.Contains("failed   cri-snapshotter: pods use overlayfs, ")
            .And.Contains($"this node is not fit\nput into {missing}, and start containerd again:\nversion = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'cimfs'\n"));
    }

    [Test]
    public async Task An_image_is_looked_up_in_its_registry()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        new ImageBuilder().Layer(WindowsImage.SmallBase()).Layer(new LayerBuilder().File("Files/a", "a")).WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);
        registry.RequireBasic("user", "secret");
        var reference = $"{registry.Host}/win/app:v1";

        var refused = await Report.OfAsync("doctor", reference, "--containerd", $"unix://{folder["no.sock"]}");
        Assert.That(refused.Statuses("containerd", "registry", "login", "clock", "image"), Is.EqualTo("failed ok warning ok failed"), refused.ToString());
        Assert.That(refused.Messages["image"], Does.Contain("401"));

        var login = Convert.ToBase64String("user:secret"u8);
        folder.Write("docker/config.json", Encoding.UTF8.GetBytes($$"""{"auths":{"{{registry.Host}}":{"auth":"{{login}}"} } }"""));
        var found = Report.Of(await CimConvertProgram.RunWithAsync(
            "DOCKER_CONFIG", folder["docker"], "doctor", reference, "--containerd", $"unix://{folder["no.sock"]}", "--json"));
        Assert.That(found.Statuses("containerd", "registry", "login", "clock", "image"), Is.EqualTo("failed ok ok ok unknown"), found.ToString());
        Assert.That(found.Messages["image"], Does.StartWith("windows/amd64 10.0.20348.2031, sha256:").And.Contains("this is not Windows"));

        registry.Faults.Add(Fault.Status("/v2/", 404));
        var other = await Report.OfAsync("doctor", reference, "--containerd", $"unix://{folder["no.sock"]}");
        Assert.That(other.Statuses("registry"), Is.EqualTo("warning"), other.ToString());
        Assert.That(other.Messages["registry"], Does.Contain("answers (404), but not as a registry does"));
    }

    [Test]
    public async Task A_registry_that_is_not_there_is_said()
    {
        using var folder = new TempFolder();
        var report = await Report.OfAsync("doctor", "127.0.0.1:1/win/app:v1", "--containerd", $"unix://{folder["no.sock"]}");
        Assert.That(report.Statuses("registry", "clock", "image", "login"), Is.EqualTo("failed unknown failed warning"), report.ToString());
        Assert.That(report.Messages["registry"], Does.StartWith("cannot get an answer of 127.0.0.1:1: "));
    }

    [Test]
    public async Task Without_a_daemon_a_node_is_not_fit()
    {
        using var folder = new TempFolder();
        var report = await Report.OfAsync("doctor", "--containerd", $"unix://{folder["no.sock"]}");
        Assert.That((report.ExitCode, report.IsFit), Is.EqualTo((4, false)));
        Assert.That(report.Statuses("containerd", "snapshotter", "disk"), Is.EqualTo("failed unknown unknown"));
        Assert.That(report.Messages["containerd"], Does.StartWith("no containerd answers at unix://"));
        Assert.That(report.Messages.Keys, Has.None.EqualTo("registry"), "no image was named");
    }

    /// <summary>A daemon with the plugins of a node, which nothing uses.</summary>
    private sealed class Node(TempFolder folder, StandInSnapshotter standIn, ContainerdDaemon daemon) : IAsyncDisposable
    {
        public ContainerdDaemon Daemon => daemon;

        public TempFolder Folder => folder;

        public static async Task<Node> StartAsync(ContainerdVersion version)
        {
            TempFolder folder = new();
            var standIn = await StandInSnapshotter.StartAsync(folder["snapshotter"], folder["snapshotter.sock"]);
            try
            {
                return new Node(folder, standIn, await ContainerdDaemon.StartAsync(new ContainerdSettings
                {
                    Version = version,
                    Snapshotter = (standIn.Name, standIn.Socket),
                    Differ = version == ContainerdVersion.V1_6 ? null : ("cimconvert", folder["differ.sock"]),
                    UsesPlugins = false,
                }));
            }
            catch
            {
                await standIn.DisposeAsync();
                folder.Dispose();
                throw;
            }
        }

        public Task<Report> DoctorAsync(params string[] more) =>
            Report.OfAsync(["doctor", "--containerd", daemon.Address, "--config", daemon.ConfigPath, .. more]);

        public void Edit(Func<string, string> edit) => File.WriteAllText(daemon.ConfigPath, edit(File.ReadAllText(daemon.ConfigPath).ReplaceLineEndings("\n")));

        /// <summary>As whoever reads the lines does: a table that is there gets the setting, one that is not goes to the end.</summary>
        public void Put(IReadOnlyList<string> lines) => Edit(text =>
        {
            var file = text.Split('\n').ToList();
            for (var i = 0; i < lines.Count; i++)
            {
                var at = i > 0 && lines[i - 1].StartsWith("# this table is in the file already", StringComparison.Ordinal)
                    ? file.FindIndex(line => line.Replace('"', '\'') == lines[i].Replace('"', '\''))
                    : -1;
                if (at >= 0)
                {
                    file.Insert(at + 1, lines[++i]);
                }
                else
                {
                    file.Add(lines[i]);
                }
            }

            return string.Join('\n', file) + "\n";
        });

        public async ValueTask DisposeAsync()
        {
            await daemon.DisposeAsync();
            await standIn.DisposeAsync();
            folder.Dispose();
        }
    }

    /// <summary>The JSON of a run.</summary>
    private sealed record Report(int ExitCode, bool IsFit, IReadOnlyDictionary<string, (string Status, string Message)> Checks, IReadOnlyList<string> Configuration)
    {
        public IReadOnlyDictionary<string, string> Messages => Checks.ToDictionary(check => check.Key, check => check.Value.Message);

        public bool HasFailed => Checks.Values.Any(check => check.Status == "failed");

        public static async Task<Report> OfAsync(params string[] arguments) => Of(await CimConvertProgram.RunAsync([.. arguments, "--json"]));

        public static Report Of(ProcessResult result)
        {
            Assert.That(result.Error, Is.Empty);
            using var document = JsonDocument.Parse(result.OutputBytes);
            var root = document.RootElement;
            return new Report(
                result.ExitCode,
                root.GetProperty("fit").GetBoolean(),
                root.GetProperty("checks").EnumerateArray().ToDictionary(
                    check => check.GetProperty("name").GetString()!, check => (check.GetProperty("status").GetString()!, check.GetProperty("message").GetString()!)),
                [.. root.GetProperty("configuration").EnumerateArray().Select(line => line.GetString()!)]);
        }

        public string Statuses(params string[] names) => string.Join(' ', names.Select(name => Checks[name].Status));

        public override string ToString() => string.Join('\n', Checks.Select(check => $"{check.Key} {check.Value}").Concat(Configuration));
    }
}
