using CimConvert.Registry;
using CimConvert.Registry.Auth;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Auth;

public sealed class DockerConfigCredentialsTests
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [TearDown]
    public void Delete() => File.Delete(_path);

    [TestCase("r.example:5000", "r.example:5000")]
    [TestCase("https://r.example", "r.example")]
    [TestCase("https://r.example/v2/", "r.example")]
    [TestCase("https://index.docker.io/v1/", "docker.io")]
    [TestCase("registry-1.docker.io", "docker.io")]
    [TestCase("R.Example", "r.example")]
    public async Task Keys_are_hosts_however_they_are_spelt(string key, string registry)
    {
        var credentials = Load($$"""{"auths":{"{{key}}":{"auth":"bWU6YTpi"} } }""");
        Assert.That(await credentials.FindAsync(registry, CancellationToken.None), Is.EqualTo(new RegistryCredential.Password("me", "a:b")));
        Assert.That(await credentials.FindAsync("other.example", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task A_hosts_own_name_wins_over_its_url_whatever_comes_last([Values] bool urlLast)
    {
        const string url = """ "https://r.example/v1/":{"username":"old"} """;
        const string host = """ "r.example":{"username":"new"} """;
        var credentials = Load($$"""{"auths":{ {{(urlLast ? $"{host},{url}" : $"{url},{host}")}} } }""");
        Assert.That(await credentials.FindAsync("r.example", CancellationToken.None), Is.EqualTo(new RegistryCredential.Password("new", string.Empty)));
    }

    [TestCase("{}")]
    [TestCase("null")]
    [TestCase("""{"auths":null}""")]
    [TestCase("""{"auths":{"r.example":{}}}""")]
    [TestCase("""{"auths":{"r.example":null}}""")]
    public async Task No_secret_is_no_credential(string json) =>
        Assert.That(await Load(json).FindAsync("r.example", CancellationToken.None), Is.Null);

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("""{"auths":{"r.example":{"auth":5}}}""")]
    [TestCase("""{"auths":{"r.example":{"auth":"hunter2"}}}""")]
    [TestCase("""{"auths":{"r.example":{"auth":"aHVudGVyMg=="}}}""")]
    [TestCase("""{"auths":{"r.example":{"password":hunter2}}}""")]
    public void A_broken_file_is_told_without_repeating_it(string json)
    {
        var e = Assert.Throws<InvalidDataException>(() => Load(json))!;
        Assert.That(e.Message, Does.StartWith($"docker configuration {_path}"));
        Assert.That(e.ToString(), Does.Not.Contain("hunter2").And.Not.Contains("aHVudGVyMg"));
    }

    [Test]
    public async Task No_file_is_no_credentials() =>
        Assert.That(await DockerConfigCredentials.Load(Path.Combine(_path, "none")).FindAsync("r.example", CancellationToken.None), Is.Null);

    [Test]
    public void Credentials_do_not_print_their_secret() =>
        Assert.That(new RegistryCredential.Password("me", "hunter2").ToString(), Is.EqualTo("Password"));

    private DockerConfigCredentials Load(string json)
    {
        File.WriteAllText(_path, json);
        return DockerConfigCredentials.Load(_path);
    }
}
