using System.Text;
using CimConvert.Containerd;
using CimConvert.Fitness;
using CimConvert.Oci;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Fitness;

public sealed class ConfigurationChecksTests : IDisposable
{
    private const string UnpackHeader = "[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]\n";
    private const string DiffHeader = "[plugins.'io.containerd.service.v1.diff-service']\n";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestCase("platform = 'windows/amd64'\nsnapshotter = 'cimfs'\ndiffer = 'cimfs'", "Ok", null)]
    [TestCase("platform = 'windows'\nsnapshotter = 'cimfs'\ndiffer = 'cimfs'", "Ok", null)]
    [TestCase("platform = 'amd64'\nsnapshotter = 'cimfs'\ndiffer = 'cimfs'", "Ok", null)]
    [TestCase("platform = 'Windows(10.0.20348)/x86_64'\nsnapshotter = 'cimfs'\ndiffer = 'cimfs'", "Ok", null)]
    [TestCase("platform = 'windows/arm64'\nsnapshotter = 'cimfs'\ndiffer = 'cimfs'", "Failed", UnpackHeader)]
    [TestCase("platform = 'linux/amd64'\nsnapshotter = 'cimfs'\ndiffer = 'cimfs'", "Failed", UnpackHeader)]
    [TestCase("snapshotter = 'cimfs'\ndiffer = 'cimfs'", "Failed", UnpackHeader)]
    [TestCase("platform = 'windows/amd64'\nsnapshotter = 'windows'\ndiffer = 'windows'", "Failed", UnpackHeader)]
    [TestCase("platform = 'windows/amd64'\nsnapshotter = 'cimfs'\ndiffer = 'windows'", "Failed", "# in place of")]
    [TestCase("platform = 'windows/amd64'\nsnapshotter = 'cimfs'", "Failed", "# in place of")]
    [TestCase("platform = 'windows/amd64'\nsnapshotter = 'cimfs'\ndiffer = 'gone'", "Failed", "# in place of")]
    [TestCase("platform = 'windows/amd64'\nsnapshotter = 'windows'\ndiffer = 'gone'", "Failed", null)]
    public void The_transfer_service_unpacks_for_the_snapshotter(string entry, string status, string? lines)
    {
        var check = ConfigurationChecks.OfUnpackConfig(Daemon("version = 3\n" + UnpackHeader + entry));
        Assert.That(check.Status.ToString(), Is.EqualTo(status), check.Message);
        Assert.That(string.Join('\n', check.Configuration), lines is null ? Is.Empty : Does.StartWith(lines.TrimEnd()).And.Contains("differ = 'cimfs'").And.Not.Contains("gone"));
    }

    [TestCase("v2.0.9", "Ok", TestName = "Before_2_1_the_transfer_service_is_not_asked")]
    [TestCase("v2.1.0", "Failed", TestName = "From_2_1_it_is")]
    [TestCase("mine", "Failed", TestName = "A_version_of_somebody_is_taken_for_a_new_one")]
    public void Only_newer_daemons_pull_with_it(string version, string status) =>
        Assert.That(ConfigurationChecks.OfUnpackConfig(Daemon("version = 3", version)).Status.ToString(), Is.EqualTo(status));

    [Test]
    public void A_daemon_that_pulls_as_before_needs_no_entry() => Assert.That(
        ConfigurationChecks.OfUnpackConfig(Daemon("version = 3\n[plugins.'io.containerd.cri.v1.images']\nuse_local_image_pull = true")).Status, Is.EqualTo(FitnessStatus.Ok));

    [TestCase("['cimfs', 'windows']", "Ok", null)]
    [TestCase("['windows', 'cimfs']", "Warning", "default = ['cimfs', 'windows']")]
    [TestCase("['windows']", "Failed", "default = ['cimfs', 'windows']")]
    [TestCase("[]", "Failed", "default = ['cimfs']")]
    [TestCase("['cimfs', 'windows-lcow']", "Failed", "default = ['cimfs']")]
    [TestCase("['gone', 'cimfs']", "Failed", "default = ['cimfs']")]
    public void The_differ_is_tried_first(string order, string status, string? line)
    {
        var check = ConfigurationChecks.OfDiffService(Daemon($"version = 3\n{DiffHeader}default = {order}"));
        Assert.That(check.Status.ToString(), Is.EqualTo(status), check.Message);
        Assert.That(check.Configuration, line is null ? Is.Empty : Is.EqualTo(new[] { "# this table is in the file already: set the next line there", DiffHeader.TrimEnd(), line }));
    }

    [Test]
    public void A_file_that_lists_no_order_gets_one_of_what_is_loaded() => Assert.That(
        ConfigurationChecks.OfDiffService(Daemon("version = 2", "1.7.24")).Configuration,
        Is.EqualTo(new[] { "[plugins.\"io.containerd.service.v1.diff-service\"]", "default = [\"cimfs\", \"windows\"]" }));

    [Test]
    public void Without_a_differ_none_is_listed()
    {
        var daemon = Daemon("version = 3") with { Plugins = [Differ("windows"), Differ("cimfs", "no such build")] };
        Assert.That(DaemonChecks.OfDiffer(daemon).Message, Does.Contain("no such build"));
        Assert.That(ConfigurationChecks.OfDiffService(daemon).Status, Is.EqualTo(FitnessStatus.Unknown));
        Assert.That(ConfigurationChecks.OfUnpackConfig(daemon).Configuration, Has.None.Contains("differ"));
    }

    [Test]
    public void This_programs_differ_comes_before_the_snapshotters() => Assert.That(
        DifferChoice.Suitable([Differ("cimfs"), Differ("x"), Differ("blockcim"), Differ("walking"), Differ("cimconvert")], "cimfs"), Is.EqualTo(new[] { "cimconvert", "cimfs", "x" }));

    [TestCase(null, null, "Unknown", false)]
    [TestCase(true, "/data", "Ok", false)]
    [TestCase(false, null, "Warning", true)]
    [TestCase(false, "", "Ok", false)]
    [TestCase(false, "/data", "Failed", true)]
    public void Volumes_of_images_are_ignored(bool? ignores, string? volumes, string status, bool hasLines)
    {
        var daemon = Daemon("version = 3") with { Cri = new CriConfiguration("cimfs", null, ignores, []) };
        var check = ConfigurationChecks.OfImageVolumes(daemon, volumes?.Split(',', StringSplitOptions.RemoveEmptyEntries));
        Assert.That(check.Status.ToString(), Is.EqualTo(status));
        Assert.That(check.Configuration, hasLines ? Is.EqualTo(new[] { "[plugins.'io.containerd.cri.v1.runtime']", "ignore_image_defined_volumes = true" }) : Is.Empty);
    }

    [TestCase(null, "[plugins.'io.containerd.cri.v1.images']")]
    [TestCase("runhcs-wcow-process", "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runhcs-wcow-process]")]
    [TestCase("a.b", "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.'a.b']")]
    [TestCase("a'\u001b]\nb", null)]
    public void Pods_use_the_snapshotter(string? runtime, string? table)
    {
        var check = ConfigurationChecks.OfCriSnapshotter(Daemon("version = 3") with { Cri = new CriConfiguration("windows", runtime, null, []) });
        Assert.That(check.Status, Is.EqualTo(FitnessStatus.Failed));
        Assert.That(check.Message, Does.Not.Contain('\u001b').And.Not.Contain('\n'));
        Assert.That(check.Configuration, table is null ? Is.Empty : Is.EqualTo(new[] { table, "snapshotter = 'cimfs'" }));
    }

    [Test]
    public void A_node_without_CRI_is_not_fit()
    {
        var check = ConfigurationChecks.OfCriSnapshotter(Daemon("version = 3") with { Cri = null });
        Assert.That((check.Status, check.Configuration.Count), Is.EqualTo((FitnessStatus.Failed, 0)));
    }

    [Test]
    public void Of_a_file_of_version_1_nothing_is_told()
    {
        var daemon = Daemon("[plugins.cri]", "1.7.24") with { Cri = new CriConfiguration("windows", null, false, []) };
        Assert.That(ConfigurationChecks.OfDiffService(daemon).Status, Is.EqualTo(FitnessStatus.Unknown));
        Assert.That(ConfigurationChecks.OfCriSnapshotter(daemon).Configuration, Is.Empty);
        Assert.That(ConfigurationChecks.OfImageVolumes(daemon, volumes: null).Configuration, Is.Empty);
    }

    [Test]
    public void A_file_that_cannot_be_read_leaves_what_it_says_unknown()
    {
        var daemon = Daemon("version = 3") with { File = null, FileProblem = "no" };
        Assert.That(ConfigurationChecks.OfUnpackConfig(daemon), Is.EqualTo(FitnessCheck.Unknown("unpack-config", "no") with { Configuration = ConfigurationChecks.OfUnpackConfig(daemon).Configuration }));
        Assert.That(ConfigurationChecks.OfDiffService(daemon).Message, Is.EqualTo("no"));
    }

    [TestCase("1.7.24", "cimfs", "Warning")]
    [TestCase("v2.0.0", "cimfs", "Ok")]
    [TestCase("v2.1.9", "blockcim", "Warning")]
    [TestCase("v2.2.0", "blockcim", "Ok")]
    [TestCase("mine", "cimfs", "Ok")]
    public void Snapshotters_came_with_versions(string version, string snapshotter, string status) =>
        Assert.That(DaemonChecks.OfVersion(ContainerdAddress.Default, version, snapshotter).Status.ToString(), Is.EqualTo(status));

    /// <summary>A Windows node with the differs of containerd, of which that for Linux did not load.</summary>
    private DaemonFacts Daemon(string file, string version = "v2.1.9") => new()
    {
        Version = version,
        Plugins = [Differ("windows"), Differ("cimfs"), Differ("windows-lcow", "skipped")],
        Snapshotter = "cimfs",
        Cri = new CriConfiguration("cimfs", null, IgnoresImageVolumes: true, []),
        File = DaemonConfiguration.Read(_folder.Write("config.toml", Encoding.UTF8.GetBytes(file)), mergesPlugins: true),
        Platform = Platform.Parse("windows/amd64"),
    };

    private static ContainerdPlugin Differ(string name, string? error = null) => new(ContainerdPlugin.DifferType, name, error, new Dictionary<string, string>(), []);
}
