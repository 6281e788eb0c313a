using System.Reflection;
using System.Text.Json;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>
/// Runs the program as its users do: a process of its own, the native program that CIMCONVERT_PROGRAM names, or what was built, as it
/// lies in its own output folder.
/// </summary>
internal static class CimConvertProgram
{
    /// <summary>Far more than any run takes, so that a hang fails and a busy machine does not.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>The native program that tests/run.sh made; null where it could not.</summary>
    public static string? NativeProgram => Environment.GetEnvironmentVariable("CIMCONVERT_PROGRAM") is { Length: > 0 } program ? program : null;

    /// <summary>How the program is started as it was built, which is what <c>dotnet run</c> does.</summary>
    public static IReadOnlyList<string> Built =>
    [
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Tools.Require("dotnet"),
        typeof(CimConvertProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "CimConvert").Value!,
    ];

    private static readonly string[] s_program = NativeProgram is { } native ? [native] : [.. Built];

    /// <summary>Hides the logins of whoever runs the tests from the program.</summary>
    private static readonly Dictionary<string, string?> s_environment = new(StringComparer.Ordinal) { ["DOCKER_CONFIG"] = "/nonexistent" };

    public static ExternalProcess Start(params IEnumerable<string> arguments) =>
        ExternalProcess.Start(s_program[0], [.. s_program.Skip(1), .. arguments], s_environment);

    public static Task<ProcessResult> RunAsync(params IEnumerable<string> arguments) =>
        ExternalProcess.RunAsync(s_program[0], [.. s_program.Skip(1), .. arguments], Patience, s_environment);

    /// <summary>As <see cref="RunAsync"/>, with its temporary files in a folder of the caller's.</summary>
    public static Task<ProcessResult> RunWithTempAsync(string temporary, params IEnumerable<string> arguments) => RunWithAsync("TMPDIR", temporary, arguments);

    /// <summary>As <see cref="RunAsync"/>, with one variable of the environment set.</summary>
    public static Task<ProcessResult> RunWithAsync(string variable, string value, params IEnumerable<string> arguments) =>
        RunWithAsync(new Dictionary<string, string?>(StringComparer.Ordinal) { [variable] = value }, arguments);

    /// <summary>As <see cref="RunAsync"/>, with some variables of the environment set.</summary>
    public static Task<ProcessResult> RunWithAsync(IReadOnlyDictionary<string, string?> variables, params IEnumerable<string> arguments)
    {
        var environment = new Dictionary<string, string?>(s_environment, StringComparer.Ordinal);
        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        return ExternalProcess.RunAsync(s_program[0], [.. s_program.Skip(1), .. arguments], Patience, environment);
    }

    /// <summary>Runs the program below another that watches it, such as <c>time</c>.</summary>
    public static Task<ProcessResult> RunUnderAsync(IReadOnlyList<string> watcher, params IEnumerable<string> arguments) =>
        ExternalProcess.RunAsync(watcher[0], [.. watcher.Skip(1), .. s_program, .. arguments], Patience, s_environment);

    /// <summary>Runs a command that is to succeed.</summary>
    public static async Task<ProcessResult> SucceedAsync(params IEnumerable<string> arguments) => (await RunAsync(arguments)).EnsureSuccess();

    /// <summary>Runs a command that is to succeed, with <c>--json</c>, and gives its document.</summary>
    public static async Task<JsonElement> JsonAsync(params IEnumerable<string> arguments)
    {
        var result = (await RunAsync([.. arguments, "--json"])).EnsureSuccess();
        using var document = JsonDocument.Parse(result.OutputBytes);
        return document.RootElement.Clone();
    }

    /// <summary>Runs a command that is to fail: with this exit code, one line on standard error, and nothing on standard output.</summary>
    /// <returns>The line.</returns>
    public static async Task<string> FailAsync(int exitCode, params IEnumerable<string> arguments)
    {
        var result = await RunAsync(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(exitCode), $"{result.Command}\n{result.Output}\n{result.Error}");
        Assert.That(result.Error, Does.Match(@"\Aerror: [^\n]+\n\z").And.Not.Contains("internal error").And.Not.Contains("   at "));
        Assert.That(result.Output, Is.Empty);
        return result.Error.TrimEnd('\n');
    }

    /// <summary>Converts an image of a plain-HTTP registry, which is to succeed.</summary>
    public static Task<JsonElement> ConvertAsync(string reference, string store, params IEnumerable<string> more) =>
        JsonAsync(["convert", reference, "--plain-http", "--output", store, "--quiet", .. more]);

    /// <summary>The whole command line, for a shell to run.</summary>
    public static IReadOnlyList<string> CommandLine(params IEnumerable<string> arguments) => [.. s_program, .. arguments];
}
