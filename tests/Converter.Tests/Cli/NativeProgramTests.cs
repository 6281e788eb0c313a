using Converter.TestKit;
using Converter.TestKit.Servers;
using NUnit.Framework;

namespace Converter.Tests.Cli;

public class NativeProgramTests
{
    [Test]
    public async Task Needs_no_runtime()
    {
        var program = Program();
        using var folder = new TempFolder();
        var alone = folder["cimconvert"];
        File.Copy(program, alone);

        var result = await ExternalProcess.RunAsync(
            alone, ["demo"], CimConvert.Patience, new Dictionary<string, string?>(StringComparer.Ordinal) { ["PATH"] = folder.Path, ["DOTNET_ROOT"] = folder.Path });

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("merged"));
    }

    private static string Program()
    {
        var program = Environment.GetEnvironmentVariable("CIMCONVERT_PROGRAM");
        if (string.IsNullOrEmpty(program))
        {
            Assert.Ignore("no native program was made: that takes gcc and the compiler's package, and is done by tests/run.sh");
        }

        return program!;
    }
}
