using System.Text;
using CimConvert.Registry.Hosts;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Hosts;

public sealed class HostsFileTests
{
    private static readonly RegistryHost Self = RegistryHost.Of("r.example:5000", plainHttp: false);

    private readonly List<string> _warnings = [];

    [SetUp]
    public void Forget() => _warnings.Clear();

    [Test]
    public void Hosts_come_in_the_files_order_and_the_server_last()
    {
        var hosts = Read("""
            server = "https://upstream.example"
            capabilities = ["pull", "push"]

            [host."https://b.example"]
              capabilities = ["pull"]
              [host."https://b.example".header]
                x-key = ["one", "two"]
                x-other = "three"
            [host."http://a.example:5000/mirror"]
              capabilities = ["Pull", "resolve"]
              skip_verify = true
              dial_timeout = "1m1.5s"
            [host."https://c.example/v2/proxy"]
              override_path = true
            """);
        Assert.That(hosts.Select(host => host.Root.AbsoluteUri), Is.EqualTo(new[]
        {
            "https://b.example/v2/", "http://a.example:5000/mirror/v2/", "https://c.example/v2/proxy/", "https://upstream.example/v2/",
        }));
        Assert.That(hosts.Select(host => host.Capabilities), Is.EqualTo(new[]
        {
            HostCapabilities.Pull, HostCapabilities.Pull | HostCapabilities.Resolve, HostCapabilities.All, HostCapabilities.Pull | HostCapabilities.Push,
        }));
        Assert.That(hosts.Select(host => host.Name), Is.EqualTo(new[] { "b.example", "a.example:5000", "c.example", "upstream.example" }));
        Assert.That(hosts.Select(host => host.IsMirror), Is.All.True);
        Assert.That(hosts[0].Headers.Select(header => $"{header.Key}: {header.Value}"), Is.EqualTo(new[] { "x-key: one", "x-key: two", "x-other: three" }));
        Assert.That((hosts[1].Connection.SkipVerify, hosts[1].Connection.ConnectTimeout), Is.EqualTo((true, TimeSpan.FromSeconds(61.5))));
        Assert.That(hosts[0].Connection.Key, Is.EqualTo(ConnectionSettings.Default.Key).And.Not.EqualTo(hosts[1].Connection.Key));
        Assert.That(_warnings, Is.Empty);
    }

    [TestCase("")]
    [TestCase("[host]")]
    public void Without_a_server_the_registry_itself_is_the_last(string toml)
    {
        var host = Read(toml).Single();
        Assert.That((host.Root.AbsoluteUri, host.Name, host.IsMirror), Is.EqualTo(("https://r.example:5000/v2/", "r.example:5000", false)));
    }

    [TestCase("docker.io", "https://registry-1.docker.io", "docker.io", false)]
    [TestCase("registry-1.docker.io", "https://registry-1.docker.io", "registry-1.docker.io", false)]
    [TestCase("r.example", "https://R.EXAMPLE:443", "r.example", false)]
    [TestCase("r.example:443", "r.example", "r.example:443", false)]
    [TestCase("r.example", "r.example:5000", "r.example:5000", true)]
    [TestCase("r.example", "https://docker.io", "docker.io", true)]
    public void A_host_of_another_name_is_a_mirror(string registry, string server, string name, bool isMirror)
    {
        var host = HostsFile.Read(Encoding.UTF8.GetBytes($"server = '{server}'"), "hosts.toml", RegistryHost.Of(registry, plainHttp: false), _warnings.Add).Single();
        Assert.That((host.Name, host.IsMirror), Is.EqualTo((name, isMirror)));
    }

    [Test]
    public void An_address_with_marks_of_the_order_of_text_is_none([Values("http://\u202e//[::1]http:/x", "http://a\u200f.example")] string server) =>
        Assert.That(() => Read($"server = '{server}'"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("a host is the URL of a registry"));

    [TestCase("http://a.example://b.exa+ple", "http://a.example//b.exa+ple/v2/")]
    [TestCase("https://a.example//other.example/x", "https://a.example//other.example/x/v2/")]
    public void A_path_that_looks_like_a_host_is_a_path(string server, string root) =>
        Assert.That(Read($"server = '{server}'").Single().Root.AbsoluteUri, Is.EqualTo(root));

    [Test]
    public void Certificates_lie_beside_the_file([Values] bool one)
    {
        using var folder = new TempFolder();
        var toml = one
            ? "ca = 'ca.pem'\nclient = 'client.pem'"
            : $"ca = ['ca.pem', '{folder["other"]}']\nclient = ['client.pem', ['c.cert', 'c.key'], ['d.pem', '']]";
        var connection = HostsFile.Read(Encoding.UTF8.GetBytes(toml), folder["hosts.toml"], Self, _warnings.Add).Single().Connection;
        Assert.That(connection.Authorities, Is.EqualTo(one ? [folder["ca.pem"]] : new[] { folder["ca.pem"], folder["other"] }));
        Assert.That(connection.ClientCertificates, Is.EqualTo(one
            ? [new ClientCertificateFiles(folder["client.pem"], null)]
            : new[]
            {
                new ClientCertificateFiles(folder["client.pem"], null),
                new ClientCertificateFiles(folder["c.cert"], folder["c.key"]),
                new ClientCertificateFiles(folder["d.pem"], null),
            }));
    }

    [Test]
    public void Unknown_keys_are_told_and_nothing_more()
    {
        Read("serve = 'x'\n[host.'m.example']\nmirror = true\n[host.'m.example'.host.'n.example']\n[plugins.x]");
        Assert.That(_warnings, Is.EqualTo(new[]
        {
            "hosts.toml: 'mirror' is not a setting this program knows; it is ignored",
            "hosts.toml: 'host' is not a setting this program knows; it is ignored",
            "hosts.toml: 'serve' is not a setting this program knows; it is ignored",
            "hosts.toml: 'plugins' is not a setting this program knows; it is ignored",
        }));
    }

    [TestCase("server = 5", "1, column 10: server must be a string")]
    [TestCase("server = ''", "1, column 10: a host is the URL")]
    [TestCase("server = 'https://'", "1, column 10: a host is the URL")]
    [TestCase("server = 'httpx://r.example'", "1, column 10: a host is the URL")]
    [TestCase("server = 'https://me:hunter2@r.example'", "1, column 10: a host is the URL")]
    [TestCase("server = 'https://r.example/?a=hunter2'", "1, column 10: a host is the URL")]
    [TestCase("host = 'x'", "1, column 8: host must be a table")]
    [TestCase("host.x = 'y'", "1, column 10: a host must be a table")]
    [TestCase("capabilities = 'pull'", "1, column 16: capabilities must be an array")]
    [TestCase("capabilities = ['pull', 'fly']", "1, column 25: a capability is one of")]
    [TestCase("capabilities = [1]", "1, column 17: a capability is one of")]
    [TestCase("ca = 5", "1, column 6: ca must be a string or an array")]
    [TestCase("ca = ['a', 5]", "1, column 12: a file's path")]
    [TestCase("ca = ''", "1, column 6: a file's path")]
    [TestCase("ca = \"a\\u0000\"", "1, column 6: a file's path")]
    [TestCase("client = [[]]", "1, column 11: a client certificate is")]
    [TestCase("client = [['a', 'b', 'c']]", "1, column 11: a client certificate is")]
    [TestCase("client = [['a', 5]]", "1, column 17: a file's path")]
    [TestCase("skip_verify = 'true'", "1, column 15: skip_verify must be true or false")]
    [TestCase("override_path = 1", "1, column 17: override_path must be true or false")]
    [TestCase("dial_timeout = 5", "1, column 16: dial_timeout must be")]
    [TestCase("dial_timeout = '5'", "1, column 16: dial_timeout must be")]
    [TestCase("dial_timeout = '0s'", "1, column 16: dial_timeout must be")]
    [TestCase("dial_timeout = '61m'", "1, column 16: dial_timeout must be")]
    [TestCase("header = 'x'", "1, column 10: header must be a table")]
    [TestCase("[header]\n'a b' = 'x'", "2, column 9: 'a b' is not a header's name")]
    [TestCase("[header]\na = \"hunter2\\r\\n\"", "2, column 5: a header's value must be")]
    [TestCase("[header]\na = 5", "2, column 5: a must be a string")]
    public void What_means_nothing_is_an_error_that_says_where(string toml, string message) => Assert.That(
        () => Read(toml),
        Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("hosts.toml, line " + message).And.Message.Not.Contains("hunter2"));

    [TestCase("r.example:5000", "r.example_5000_ r.example:5000 _default", "r.example_5000_")]
    [TestCase("r.example:5000", "r.example:5000 _default", "r.example:5000")]
    [TestCase("r.example:5000", "r.example _default", "_default")]
    [TestCase("r.example", "r.example _default", "r.example")]
    [TestCase("r.example", "other", null)]
    [Platform(Exclude = "Win", Reason = "no file name there has a colon")]
    public void A_registrys_folder_is_found_by_its_name(string registry, string folders, string? expected)
    {
        using var root = new TempFolder();
        foreach (var name in folders.Split(' '))
        {
            Directory.CreateDirectory(root[name]);
        }

        Assert.That(HostsFolder.Find([root["none"], root.Path], registry), Is.EqualTo(expected is null ? null : root[expected]));
    }

    [Test]
    public void Without_a_hosts_file_its_certificates_are_the_registrys()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "b.crt", "a.crt", "c.cert", "c.key", "d.cert", "x.pem" })
        {
            File.WriteAllText(folder[name], string.Empty);
        }

        var host = HostsFolder.Read(folder.Path, Self, _warnings.Add).Single();
        Assert.That(host.Root, Is.EqualTo(Self.Root));
        Assert.That(host.Connection.Authorities, Is.EqualTo(new[] { folder["a.crt"], folder["b.crt"] }));
        Assert.That(host.Connection.ClientCertificates, Is.EqualTo(new[]
        {
            new ClientCertificateFiles(folder["c.cert"], folder["c.key"]),
            new ClientCertificateFiles(folder["d.cert"], null),
        }));
    }

    private IReadOnlyList<RegistryHost> Read(string toml) => HostsFile.Read(Encoding.UTF8.GetBytes(toml), "hosts.toml", Self, _warnings.Add);
}
