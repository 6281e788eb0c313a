using System.CommandLine;
using CimConvert.Cli.Differ;
using CimConvert.Cli.Output;
using CimConvert.Interop;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert differ --listen ADDRESS</c>, <c>differ install</c> and <c>differ uninstall</c></summary>
internal static class DifferCommand
{
    private const string DefaultName = "cimconvert-differ";

    public static Command Create()
    {
        var options = new DifferOptions();
        var command = new Command("differ", "Serves containerd as a proxy differ: the layers of every pull are imported by this program.") { CreateInstall(), CreateUninstall() };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var telemetry = Telemetry.Start();
            await DifferHost.RunAsync(options.Read(parsed), cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command CreateInstall()
    {
        var options = new DifferOptions();
        var name = Name();
        var command = new Command("install", "Makes the differ a Windows service, which starts with the system.") { name };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            RequireWindows("configs/cimconvert-differ.service is a unit for systemd");
            WindowsServices.Install(
                parsed.GetRequiredValue(name), "cimconvert differ", [.. Program, "differ", .. DifferOptions.Given(parsed, name)]);
            Console.WriteLine(OneLine.Of($"installed {parsed.GetRequiredValue(name)}"));
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command CreateUninstall()
    {
        var name = Name();
        var command = new Command("uninstall", "Stops the Windows service of the differ, and removes it.") { name, CommonOptions.Verbose() };
        command.SetAction(parsed =>
        {
            RequireWindows("disable its unit with systemctl");
            WindowsServices.Uninstall(parsed.GetRequiredValue(name));
            Console.WriteLine(OneLine.Of($"uninstalled {parsed.GetRequiredValue(name)}"));
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>As it runs now: the program itself, or its assembly, run by dotnet.</summary>
    private static string[] Program => Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet"
        ? [Environment.ProcessPath!, Path.GetFullPath(Environment.GetCommandLineArgs()[0])]
        : [Environment.ProcessPath!];

    private static Option<string> Name() => new("--name")
    {
        Description = "The name of the service.",
        HelpName = "NAME",
        DefaultValueFactory = _ => DefaultName,
    };

    private static void RequireWindows(string advice)
    {
        if (!OperatingSystem.IsWindows())
        {
            throw new ConversionException($"only Windows has services of this kind; elsewhere run 'cimconvert differ' under systemd: {advice}");
        }
    }
}
