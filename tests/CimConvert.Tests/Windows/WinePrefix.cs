using System.Globalization;
using System.Text.Json;
using CimConvert.TestKit.Servers;

namespace CimConvert.Tests.Windows;

/// <summary>A Windows of a test's own: a Wine prefix with chosen libraries in System32, that says it is a chosen build.</summary>
internal sealed class WinePrefix
{
    /// <summary>A build without block CIMs.</summary>
    public const int Windows10 = 19045;

    /// <summary>A build later than verified CIMs.</summary>
    public const int NewestBuild = 27900;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    private readonly string _folder;

    private WinePrefix(string folder) => _folder = folder;

    public static async Task<WinePrefix> CreateAsync(string folder, int build)
    {
        var prefix = new WinePrefix(folder);

        // Without its Mono and browser, which would ask to be downloaded.
        (await prefix.WineAsync(["wineboot", "--init"], new() { ["WINEDLLOVERRIDES"] = "mscoree,mshtml,winemenubuilder.exe=" })).EnsureSuccess();
        await prefix.SetBuildAsync(build);
        return prefix;
    }

    /// <summary>Another prefix beside this one, of links to its files.</summary>
    public async Task<WinePrefix> CopyAsync(string name, int build, params (string Name, string File)[] libraries)
    {
        await StopAsync();
        var folder = Path.Combine(Path.GetDirectoryName(_folder)!, name);
        (await ExternalProcess.RunAsync("cp", ["-al", _folder, folder], s_patience)).EnsureSuccess();
        foreach (var registry in Directory.EnumerateFiles(folder, "*.reg"))
        {
            // What Wine writes to must not be shared.
            var content = await File.ReadAllBytesAsync(registry);
            File.Delete(registry);
            await File.WriteAllBytesAsync(registry, content);
        }

        var prefix = new WinePrefix(folder);
        foreach (var (library, file) in libraries)
        {
            File.Copy(file, Path.Combine(folder, "drive_c", "windows", "system32", library));
        }

        await prefix.SetBuildAsync(build);
        return prefix;
    }

    /// <summary>A path of this machine as programs under Wine name it.</summary>
    public static string PathOf(string path) => "Z:" + path.Replace('/', '\\');

    /// <summary>Runs the program to its end.</summary>
    public Task<ProcessResult> RunAsync(IEnumerable<string> arguments, Dictionary<string, string?>? environment = null, string? program = null) =>
        WineAsync([program ?? WindowsProgram.Program, .. arguments], environment);

    /// <summary>Runs a command that is to succeed, with <c>--json</c>, and gives its document.</summary>
    public async Task<JsonElement> JsonAsync(IEnumerable<string> arguments, Dictionary<string, string?>? environment = null, string? program = null)
    {
        var result = (await RunAsync([.. arguments, "--json"], environment, program)).EnsureSuccess();
        using var document = JsonDocument.Parse(result.OutputBytes);
        return document.RootElement.Clone();
    }

    /// <summary>Starts a program that goes on beside others, which may be refused as <see cref="WineAsync"/> says.</summary>
    public ExternalProcess Start(string program, IEnumerable<string> arguments) =>
        ExternalProcess.Start(Tools.Require("wine64"), [program, .. arguments], Environment());

    /// <summary>Ends the server that every prefix has, of this prefix alone.</summary>
    public async Task StopAsync()
    {
        var server = Tools.Find("wineserver64") ?? Tools.Require("wineserver");
        await ExternalProcess.RunAsync(server, ["--kill"], s_patience, Environment());
        await ExternalProcess.RunAsync(server, ["--wait"], s_patience, Environment());
    }

    private async Task SetBuildAsync(int build)
    {
        var number = build.ToString(CultureInfo.InvariantCulture);
        var file = Path.Combine(_folder, "version.reg");
        await File.WriteAllTextAsync(file, $"""
            REGEDIT4

            [HKEY_LOCAL_MACHINE\Software\Microsoft\Windows NT\CurrentVersion]
            "CurrentVersion"="10.0"
            "CurrentBuild"="{number}"
            "CurrentBuildNumber"="{number}"
            "CSDVersion"=""

            """);
        (await WineAsync(["regedit", "/S", PathOf(file)], environment: null)).EnsureSuccess();
    }

    /// <summary>
    /// The prefix's server ends with its last program, and refuses one that starts at that moment, without a word: then nothing
    /// ran, and it is started again. Whatever of ours fails says so.
    /// </summary>
    private async Task<ProcessResult> WineAsync(IReadOnlyList<string> arguments, Dictionary<string, string?>? environment)
    {
        var all = Environment();
        foreach (var (name, value) in environment ?? [])
        {
            all[name] = value;
        }

        var result = await ExternalProcess.RunAsync(Tools.Require("wine64"), arguments, s_patience, all);
        return result is { ExitCode: 1, Output.Length: 0, Error.Length: 0 }
            ? await ExternalProcess.RunAsync(Tools.Require("wine64"), arguments, s_patience, all)
            : result;
    }

    private Dictionary<string, string?> Environment() => new(StringComparer.Ordinal)
    {
        ["WINEPREFIX"] = _folder,
        ["WINEDEBUG"] = "-all",
        ["DISPLAY"] = null,
        ["DOCKER_CONFIG"] = @"Z:\nonexistent",

        // Under Wine 8.0 the runtime dies ("Internal CLR error", in the finalizer of dynamic methods) when it frees code it has
        // mapped twice: 12 of 12 conversions of a larger image with this mapping, none of 12 without.
        ["DOTNET_EnableWriteXorExecute"] = "0",

        // What the test host hands down is for its own children.
        ["DOTNET_HOST_PATH"] = null,
        ["DOTNET_ROOT"] = null,
    };
}
