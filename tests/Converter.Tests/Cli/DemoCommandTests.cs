using NUnit.Framework;

namespace Converter.Tests.Cli;

/// <summary><c>cimconvert demo</c>, as a process.</summary>
internal sealed class DemoCommandTests
{
    [Test]
    public async Task The_demo_shows_the_registry_of_all_its_layers()
    {
        var output = (await CliProcess.SucceedAsync("demo", "--quiet")).Output;
        var registry = output[output.IndexOf("Windows Registry Editor", StringComparison.Ordinal)..];
        Assert.That(registry.Split('\n').Where(line => line.StartsWith('[')), Is.EqualTo(new[]
        {
            @"[\]", @"[\Demo]", @"[\Demo\App]", @"[\Microsoft]", @"[\Microsoft\Windows NT]", @"[\Microsoft\Windows NT\CurrentVersion]",
            @"[\Vendor]", @"[\Vendor\Setup]",
        }));
        Assert.That(registry, Does.Contain("\"UBR\"=dword:00000a8c").And.Contain("\"State\"=hex(1):64,00,6f,00,6e,00,65,00,00,00").And.Not.Contain("Reboots"));
    }
}
