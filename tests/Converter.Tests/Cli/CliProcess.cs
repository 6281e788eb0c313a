using Converter.TestKit.Servers;
using NUnit.Framework;

namespace Converter.Tests.Cli;

/// <summary>Runs the built <c>cimconvert</c> as users do: a process of its own, from its own output folder.</summary>
internal static class CliProcess
{
    private static readonly string s_program = Find();

    public static Task<ProcessResult> RunAsync(params string[] arguments) => ExternalProcess.RunAsync("dotnet", ["exec", s_program, .. arguments]);

    /// <summary>Runs it to success.</summary>
    public static async Task<ProcessResult> SucceedAsync(params string[] arguments) => (await RunAsync(arguments)).EnsureSuccess();

    /// <returns>The one line it ends with on standard error.</returns>
    public static async Task<string> FailAsync(int exitCode, params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(exitCode), $"{result.Output}\n{result.Error}");
        Assert.That(result.Output, Is.Empty);
        return result.Error.TrimEnd('\n').Split('\n')[^1];
    }

    /// <summary>Not the copy beside the tests: that one lacks what tests have from a framework the program does without.</summary>
    private static string Find()
    {
        // .../tests/Converter.Tests/bin/Debug/net10.0
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var configuration = framework.Parent!;
        var root = configuration.Parent!.Parent!.Parent!.Parent!;
        var program = Path.Combine(root.FullName, "src", "Converter.Cli", "bin", configuration.Name, framework.Name, "cimconvert.dll");
        return File.Exists(program) ? program : throw new FileNotFoundException("the tests' build makes the program, too", program);
    }
}
