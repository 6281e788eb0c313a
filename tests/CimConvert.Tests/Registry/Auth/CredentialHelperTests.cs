using System.Diagnostics;
using System.Runtime.Versioning;
using CimConvert.Registry;
using CimConvert.Registry.Auth;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Auth;

/// <summary>Helpers are shell scripts in a folder put before PATH, under names of their own: tests run side by side.</summary>
[Platform(Exclude = "Win", Reason = "the helpers are shell scripts")]
[UnsupportedOSPlatform("windows")]
public sealed class CredentialHelperTests
{
    private const string Server = "r.example:5000";

    private static readonly TempFolder s_folder = new("cimconvert-helpers-");

    private static int s_helpers;

    [OneTimeSetUp]
    public static void AddToPath() => Environment.SetEnvironmentVariable("PATH", $"{s_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}");

    [OneTimeTearDown]
    public static void Remove()
    {
        Environment.SetEnvironmentVariable("PATH", Environment.GetEnvironmentVariable("PATH")!.Replace(s_folder.Path + ":", string.Empty, StringComparison.Ordinal));
        s_folder.Dispose();
    }

    [Test]
    public async Task The_server_is_asked_for_and_the_login_read()
    {
        var helper = Helper("""[ "$1" = get ] || exit 9; read -r server || true; echo '{"ServerURL":"x","Username":"'"$server"'","Secret":"hunter2"}'""");
        Assert.That(await GetAsync(helper), Is.EqualTo(new RegistryCredential.Password(Server, "hunter2")));
    }

    [TestCase("""echo '{"Username":"<token>","Secret":"refresh"}'""", "IdentityToken")]
    [TestCase("""echo '{"Username":"","Secret":""}'""", null)]
    [TestCase("echo credentials not found in native keychain; exit 1", null)]
    public async Task Answers(string script, string? kind) => Assert.That((await GetAsync(Helper(script)))?.ToString(), Is.EqualTo(kind));

    [TestCase("echo hunter2; echo hunter2 >&2; exit 3", "ended with 3; run 'echo r.example:5000 | docker-credential-")]
    [TestCase("echo hunter2", "answered with something else than a login in JSON")]
    [TestCase("echo null", "answered with something else than a login in JSON")]
    [TestCase("head -c 300000 /dev/zero", "cannot be used: it has more than the 262144 bytes allowed")]
    public async Task Failures_name_the_helper_and_no_secret(string script, string message)
    {
        var helper = Helper(script);
        var e = (await Assert.ThrowsAsync<RegistryException>(() => GetAsync(helper)))!;
        Assert.That(e.Message, Does.StartWith($"cannot get the login of {Server}: the credential helper docker-credential-{helper} ").And.Contains(message));
        Assert.That(e.ToString(), Does.Not.Contain("hunter2"));
    }

    [Test]
    public void A_helper_that_is_not_there_is_named() => Assert.That(
        () => GetAsync("no-such-helper"),
        Throws.TypeOf<RegistryException>().With.Message.Contains("docker-credential-no-such-helper is not installed in any folder of PATH"));

    [Test]
    public void A_helper_that_does_not_answer_is_ended()
    {
        var pid = s_folder["pid"];
        var helper = new CredentialHelper(Helper($"echo $$ > {pid}; exec sleep 600"), TimeSpan.FromMilliseconds(500));
        Assert.That(() => helper.GetAsync(Server, CancellationToken.None), Throws.TypeOf<RegistryException>().With.Message.Contains("did not answer within 0.5 s"));
        AssertEnded(pid);
    }

    [Test]
    public async Task Cancelling_ends_a_helper()
    {
        var pid = s_folder["pid2"];
        using var cancellationToken = new CancellationTokenSource();
        var helper = new CredentialHelper(Helper($"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 600"), TimeSpan.FromMinutes(5));
        var running = helper.GetAsync(Server, cancellationToken.Token);
        while (!File.Exists(pid))
        {
            await Task.Delay(10);
        }

        await cancellationToken.CancelAsync();
        Assert.That(() => running, Throws.InstanceOf<OperationCanceledException>());
        AssertEnded(pid);
    }

    [TestCase("../evil")]
    [TestCase("a/b")]
    [TestCase("a b")]
    [TestCase("a\n")]
    public void A_name_that_could_be_a_path_is_refused(string name) =>
        Assert.That(() => new CredentialHelper(name, TimeSpan.FromSeconds(1)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("is not the name of a credential helper"));

    [TestCase("r.example", "helper")]
    [TestCase("other.example", "store")]
    [TestCase("file.example", "file")]
    [TestCase("docker.io", "https://index.docker.io/v1/")]
    public async Task A_registrys_own_helper_comes_before_the_store_and_that_before_the_file(string registry, string user)
    {
        var helper = Helper("""echo '{"Username":"helper","Secret":"s"}'""");
        var hub = Helper("""read -r server || true; echo '{"Username":"'"$server"'","Secret":"s"}'""");
        var store = Helper("""read -r server || true; if [ "$server" = file.example ]; then echo credentials not found; exit 1; fi; echo '{"Username":"store","Secret":"s"}'""");
        var path = s_folder[$"{registry}.json"];
        await File.WriteAllTextAsync(path, $$"""
            {
              "auths":{"r.example":{"username":"file"},"other.example":{"username":"file"},"file.example":{"username":"file"} },
              "credHelpers":{"r.example":"{{helper}}","https://index.docker.io/v1/":"{{hub}}"},
              "credsStore":"{{store}}"
            }
            """);
        var credential = await DockerConfigCredentials.Load(path).FindAsync(registry, CancellationToken.None);
        Assert.That(((RegistryCredential.Password)credential!).UserName, Is.EqualTo(user));
    }

    [Test]
    public void A_configuration_with_a_helper_of_no_name_is_told()
    {
        var path = s_folder["bad.json"];
        File.WriteAllText(path, """{"credsStore":"../x"}""");
        Assert.That(() => DockerConfigCredentials.Load(path), Throws.TypeOf<InvalidDataException>().With.Message.StartsWith($"docker configuration {path}: '../x' is not"));
    }

    private static Task<RegistryCredential?> GetAsync(string name) =>
        new CredentialHelper(name, TimeSpan.FromMinutes(1)).GetAsync(Server, CancellationToken.None);

    private static string Helper(string script)
    {
        var name = $"kit{Interlocked.Increment(ref s_helpers)}";
        var path = s_folder[$"docker-credential-{name}"];
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return name;
    }

    /// <summary>A killed process is gone, or a zombie until its parent has looked.</summary>
    private static void AssertEnded(string pidFile)
    {
        var id = int.Parse(File.ReadAllText(pidFile), System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(() => Array.Exists(Process.GetProcesses(), process => process.Id == id), Is.False.After(10_000, 20));
    }
}
