using CimConvert.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>The version, which comes from the tags of the repository, as users and registries see it.</summary>
public class VersionTests
{
    private const string Version = @"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?";

    [Test]
    [Category("Process")]
    public async Task It_is_one_line()
    {
        var output = (await CimConvertProgram.RunAsync("--version")).EnsureSuccess().Output;
        Assert.That(output, Does.Match($@"^{Version}(\+[0-9a-f]+)?\r?\n$"));
    }

    [Test]
    public void Registries_see_it_without_the_commit() => Assert.That(new RegistryOptions().UserAgent, Does.Match($"^cimconvert/{Version}$"));
}
