using CimConvert.TestKit;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>All other tests run one form of the program; users have two.</summary>
[Category(Categories.Process)]
public class ProgramFormsTests
{
    [Test]
    public async Task As_built_it_converts() => AssertConverted(await DemoAsync(CimConvertProgram.Built, environment: null));

    [Test]
    public async Task The_native_one_needs_no_runtime()
    {
        if (CimConvertProgram.NativeProgram is not { } program)
        {
            Assert.Ignore("no native program was made: that takes gcc and the compiler's package, and is done by tests/run.sh");
            return;
        }

        using var folder = new TempFolder();
        var alone = folder["cimconvert"];
        File.Copy(program, alone);
        AssertConverted(await DemoAsync([alone], new Dictionary<string, string?>(StringComparer.Ordinal) { ["PATH"] = folder.Path, ["DOTNET_ROOT"] = folder.Path }));
    }

    private static Task<ProcessResult> DemoAsync(IReadOnlyList<string> program, Dictionary<string, string?>? environment) =>
        ExternalProcess.RunAsync(program[0], [.. program.Skip(1), "demo"], CimConvertProgram.Patience, environment);

    private static void AssertConverted(ProcessResult result)
    {
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("merged"));
    }
}
