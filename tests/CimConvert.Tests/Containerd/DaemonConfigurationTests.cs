using System.Globalization;
using System.Text;
using CimConvert.Containerd;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Containerd;

public sealed class DaemonConfigurationTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public void Without_a_file_nothing_is_set()
    {
        var file = Read();
        Assert.That((file.IsThere, file.DifferOrder, file.UnpackEntries, file.PullsLocally, file.Has("io.containerd.grpc.v1.cri")), Is.EqualTo((false, (object?)null, (object?)null, false, false)));
    }

    [Test]
    public void Settings_are_read()
    {
        Write("config.toml", """
            version = 3
            [plugins.'io.containerd.gc.v1.scheduler']
            pause_threshold = 0.02
            [plugins.'io.containerd.service.v1.diff-service']
            default = ['cimfs', 'windows']
            [plugins.'io.containerd.cri.v1.images'.registry]
            config_path = ''
            [plugins.'io.containerd.cri.v1.images']
            use_local_image_pull = true
            [[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
            platform = 'windows/amd64'
            snapshotter = 'cimfs'
            differ = ''
            [[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
            """);
        var file = Read();
        Assert.That((file.Version, file.PullsLocally), Is.EqualTo((3L, true)));
        Assert.That(file.DifferOrder, Is.EqualTo(new[] { "cimfs", "windows" }));
        Assert.That(file.UnpackEntries, Is.EqualTo(new[] { new UnpackEntry("windows/amd64", "cimfs", null), new UnpackEntry(null, null, null) }));
        Assert.That(file.HasHeader("io.containerd.cri.v1.images"), Is.True);
        Assert.That((file.Has("io.containerd.cri.v1.images", "registry"), file.Has("io.containerd.cri.v1.runtime")), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_file_that_does_not_say_its_version_is_of_the_first()
    {
        Write("config.toml", "disabled_plugins = ['cri']\n[plugins.a.b]\n");
        Assert.That((Read().Version, Read().Has("a"), Read().HasHeader("a")), Is.EqualTo((1L, true, false)));
    }

    /// <summary>As <c>containerd config dump</c> of 1.6.20, 1.7.24 and 2.1.9 puts such files together.</summary>
    [TestCase(true, "c", "one")]
    [TestCase(false, "c", null)]
    public void An_imported_file_wins(bool mergesPlugins, string order, string? snapshotter)
    {
        Write("config.toml", """
            version = 2
            imports = ["conf.d/*.toml"]
            [plugins."io.containerd.service.v1.diff-service"]
            default = ["a", "b"]
            [[plugins."io.containerd.transfer.v1.local".unpack_config]]
            snapshotter = "one"
            """);
        Write("conf.d/x.toml", "imports = ['../config.toml']\n[plugins.'io.containerd.service.v1.diff-service']\ndefault = ['c']\n[plugins.'io.containerd.transfer.v1.local']\nconfig_path = ''\n");
        Write("conf.d/x.toml.bak", "= no TOML");
        var file = Read(mergesPlugins);
        Assert.That(file.DifferOrder, Is.EqualTo(new[] { order }));
        Assert.That(file.UnpackEntries?[0].Snapshotter, Is.EqualTo(snapshotter));
    }

    [TestCase("imports = ['*/a.toml']", "config.toml, line 1, column 12: this pattern of imports is not understood")]
    [TestCase("imports = ['[ab]*.toml']", "config.toml, line 1, column 12: this pattern")]
    [TestCase("imports = [1]", "config.toml, line 1, column 12: an import must be a path")]
    [TestCase("imports = [\"a\\u0000\"]", "an import must be a path")]
    [TestCase("version = ", "config.toml, line 1, column 11: ")]
    public void What_is_not_understood_is_said(string text, string message)
    {
        Write("config.toml", text);
        Assert.That(() => Read(), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
    }

    [Test]
    public void An_import_that_is_not_there_is_an_error()
    {
        Write("config.toml", "imports = ['gone.toml']");
        Assert.That(() => Read(), Throws.InstanceOf<IOException>().With.Message.Contains("gone.toml"));
    }

    [TestCase(DaemonConfiguration.MaxFiles, true)]
    [TestCase(DaemonConfiguration.MaxFiles + 1, false)]
    public void The_number_of_files_is_limited(int files, bool allowed)
    {
        Write("config.toml", "imports = ['1.toml']");
        for (var i = 1; i < files; i++)
        {
            Write($"{i}.toml", i == files - 1 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"imports = ['{i + 1}.toml']"));
        }

        Assert.That(() => Read(), allowed ? Throws.Nothing : Throws.TypeOf<InvalidDataException>().With.Message.Contains("imports more than 63 files"));
    }

    private void Write(string name, string text) => _folder.Write(name, Encoding.UTF8.GetBytes(text));

    private DaemonConfiguration Read(bool mergesPlugins = true) => DaemonConfiguration.Read(_folder["config.toml"], mergesPlugins);
}
