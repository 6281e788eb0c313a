using System.Reflection;
using CimConvert.TestKit;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>
/// The program as Windows nodes get it, published once for win-x64, self-contained, and run under Wine; with the recorder and the
/// offreg stand-in of tests/Windows in the place of Windows' libraries. Without Wine or mingw these tests are skipped, and say so.
/// </summary>
[SetUpFixture]
public sealed class WindowsProgram
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(15);
    private static readonly List<WinePrefix> s_prefixes = [];

    private static TempFolder? s_folder;

    /// <summary>Windows 10, with none of the libraries.</summary>
    internal static WinePrefix WithoutLibraries { get; private set; } = null!;

    /// <summary>Windows 10, with cimwriter.dll and offreg.dll.</summary>
    internal static WinePrefix WithWriter { get; private set; } = null!;

    /// <summary>Windows 10, with a cimwriter.dll that lacks a function.</summary>
    internal static WinePrefix WithOldWriter { get; private set; } = null!;

    /// <summary>A Windows that is new enough for all, with its own cimfs.dll and offreg.dll.</summary>
    internal static WinePrefix NewWindows { get; private set; } = null!;

    /// <summary>Windows 10 with a cimfs.dll, which has other functions than it needs and is not to be called.</summary>
    internal static WinePrefix OldWindows { get; private set; } = null!;

    internal static string Program => s_folder!["program", "cimconvert.exe"];

    /// <summary>What <see cref="PipeBridge"/> runs.</summary>
    internal static string Bridge => s_folder!["pipe-bridge.exe"];

    private static string Recorder => s_folder!["recorder.dll"];

    [OneTimeSetUp]
    public static async Task PublishAndBuild()
    {
        Tools.Require("wine64");
        Tools.Require("x86_64-w64-mingw32-gcc");
        s_folder = new TempFolder("cimconvert-windows-");
        var offreg = s_folder["offreg.dll"];
        var oldRecorder = s_folder["old-recorder.dll"];
        await Task.WhenAll(
            PublishAsync(),
            BuildAsync(Recorder, "recorder.c", "-shared"),
            BuildAsync(oldRecorder, "recorder.c", "-shared", "-DWITHOUT_VERIFICATION"),
            BuildAsync(offreg, "offreg.c", "-shared"),
            BuildAsync(Bridge, "pipe-bridge.c", "-municode", "-lws2_32"));

        var bare = await AddAsync(WinePrefix.CreateAsync(s_folder["prefix"], WinePrefix.Windows10));
        WithoutLibraries = bare;
        WithWriter = await AddAsync(bare.CopyAsync("writer", WinePrefix.Windows10, ("cimwriter.dll", Recorder), ("offreg.dll", offreg)));
        WithOldWriter = await AddAsync(bare.CopyAsync("old-writer", WinePrefix.Windows10, ("cimwriter.dll", oldRecorder), ("offreg.dll", offreg)));
        NewWindows = await AddAsync(bare.CopyAsync("new", WinePrefix.NewestBuild, ("cimfs.dll", Recorder), ("offreg.dll", offreg)));
        OldWindows = await AddAsync(bare.CopyAsync("old", WinePrefix.Windows10, ("cimfs.dll", Recorder)));
    }

    [OneTimeTearDown]
    public static async Task Remove()
    {
        foreach (var prefix in s_prefixes)
        {
            await prefix.StopAsync();
        }

        s_folder?.Dispose();
    }

    /// <summary>A copy of the program, of links to its files, with the recorder beside it as a cimwriter.dll of its own.</summary>
    internal static async Task<string> CopyWithRecorderAsync(string folder, string recorderName)
    {
        (await ExternalProcess.RunAsync("cp", ["-al", Path.GetDirectoryName(Program)!, folder])).EnsureSuccess();
        File.Copy(Recorder, Path.Combine(folder, recorderName));
        return Path.Combine(folder, Path.GetFileName(Program));
    }

    private static async Task<WinePrefix> AddAsync(Task<WinePrefix> making)
    {
        var prefix = await making;
        s_prefixes.Add(prefix);
        return prefix;
    }

    /// <summary>With build folders of its own: nothing that others build or test is touched.</summary>
    private static async Task PublishAsync()
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Tools.Require("dotnet");
        var result = await ExternalProcess.RunAsync(
            host,
            [
                "publish", Path.Combine(Repository(), "src", "CimConvert.Cli"), "-c", "Release", "-r", "win-x64", "--self-contained",
                "--artifacts-path", s_folder!["artifacts"], "-o", s_folder["program"], "-v", "quiet", "-nodeReuse:false",
                "-p:RunAnalyzers=false",
            ],
            s_patience,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["MSBUILDDISABLENODEREUSE"] = "1" });
        result.EnsureSuccess();
    }

    private static async Task BuildAsync(string target, string source, params string[] more) => (await ExternalProcess.RunAsync(
        Tools.Require("x86_64-w64-mingw32-gcc"),
        ["-O2", "-Wall", "-Wextra", "-Werror", "-o", target, Path.Combine(Repository(), "tests", "Windows", source), .. more])).EnsureSuccess();

    private static string Repository() => typeof(WindowsProgram).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Repository").Value!;
}
