using System.Reflection;
using System.Text.Json;
using Converter.TestKit.Servers;

namespace Converter.Tests.Cli;

/// <summary>Runs the program as its users do: a process of its own, as it lies in its own output folder.</summary>
internal static class CimConvert
{
    /// <summary>Far more than any run takes: a hang is to fail, a busy machine is not.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static readonly string s_program = typeof(CimConvert).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "CimConvert").Value!;

    /// <summary>The logins of whoever runs the tests are none of the program's business here.</summary>
    private static readonly Dictionary<string, string?> s_environment = new(StringComparer.Ordinal) { ["DOCKER_CONFIG"] = "/nonexistent" };

    public static ExternalProcess Start(params IEnumerable<string> arguments) =>
        ExternalProcess.Start(Host(), [s_program, .. arguments], s_environment);

    public static Task<ProcessResult> RunAsync(params IEnumerable<string> arguments) =>
        ExternalProcess.RunAsync(Host(), [s_program, .. arguments], Patience, s_environment);

    /// <summary>Runs a command that is to succeed, with <c>--json</c>, and gives its document.</summary>
    public static async Task<JsonElement> JsonAsync(params IEnumerable<string> arguments)
    {
        var result = (await RunAsync([.. arguments, "--json"])).EnsureSuccess();
        using var document = JsonDocument.Parse(result.OutputBytes);
        return document.RootElement.Clone();
    }

    /// <summary>Converts an image of a plain-HTTP registry, which is to succeed.</summary>
    public static Task<JsonElement> ConvertAsync(string reference, string store, params IEnumerable<string> more) =>
        JsonAsync(["convert", reference, "--plain-http", "--output", store, "--quiet", .. more]);

    private static string Host() => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Tools.Require("dotnet");
}
