using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using CimConvert.Cli.Commands;
using CimConvert.Cli.Output;
using CimConvert.Prewarming;

namespace CimConvert.Cli;

/// <summary>Parses the command line, runs the command, and turns its outcome into an exit code and, for a failure, one line.</summary>
internal static class CommandLine
{
    /// <summary>No response files: '@' is the name of a registry key's default value.</summary>
    private static readonly ParserConfiguration s_parser = new() { ResponseFileTokenReplacer = null };

    /// <summary>Less than the five seconds that Windows waits (learn.microsoft.com/windows/console/handlerroutine, "Timeouts").</summary>
    private static readonly TimeSpan s_cleanUpTimeout = TimeSpan.FromSeconds(4);

    public static async Task<int> RunAsync(string[] args)
    {
        using var cancellation = new CancellationTokenSource();
        var cleanedUp = new TaskCompletionSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);

        // On Windows, raised when the console window is closed.
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Cancel);
        try
        {
            return await RunAsync(args, cancellation.Token);
        }
        finally
        {
            cleanedUp.SetResult();
        }

        // The first signal cancels the command, which cleans up; a second one ends the process.
        void Cancel(PosixSignalContext context)
        {
            context.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
            if (OperatingSystem.IsWindows() && context.Signal != PosixSignal.SIGINT)
            {
                // When the console is closed or the system shuts down, Windows ends the process as soon as this handler returns.
                cleanedUp.Task.Wait(s_cleanUpTimeout);
            }
        }
    }

    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        var parsed = Root().Parse(args, s_parser);
        string[] problems = [.. parsed.Errors.Select(error => error.Message.TrimEnd('.')), .. EmptyNames(parsed)];
        if (problems.Length > 0)
        {
            var errors = string.Join("; ", problems);
            await Console.Error.WriteLineAsync($"error: {OneLine.Of(errors)}; run '{Usage(parsed)} --help' for the options");
            return ExitCodes.WrongUsage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("cancelled");
            return ExitCodes.Cancelled;
        }
        catch (Exception e)
        {
            return await ReportAsync(e, parsed.GetValue<bool>(CommonOptions.VerboseName));
        }
    }

    /// <summary>Arguments that are empty and must not be: only a CIM's root, a hive's root and a key's default value have an empty name.</summary>
    private static IEnumerable<string> EmptyNames(ParseResult parsed) =>
        from result in parsed.CommandResult.Children
        where result.Tokens.Any(token => token.Value.Length == 0)
        let name = (result as ArgumentResult)?.Argument.Name ?? (result as OptionResult)?.Option.Name
        where name is not ("PATH" or "KEY" or "VALUE")
        select $"{name} is empty";

    private static async Task<int> ReportAsync(Exception e, bool verbose)
    {
        var message = Failures.IsExpected(e) ? e.Message : $"internal error: {e.GetType().Name}: {e.Message}; --verbose says where";
        var isDiskFull = Failures.IsDiskFull(e);
        var advice = isDiskFull ? "; free some space and run the same command again: what is complete is kept" : string.Empty;
        await Console.Error.WriteLineAsync($"error: {OneLine.Of(message)}{advice}");
        if (verbose)
        {
            await Console.Error.WriteLineAsync(e.ToString());
        }

        return isDiskFull ? ExitCodes.MachineUnfit : e is PrewarmListException ? ExitCodes.WrongUsage : ExitCodes.Failed;
    }

    private static string Usage(ParseResult parsed)
    {
        var names = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult command; result = result.Parent)
        {
            names.Insert(0, command.Command.Name);
        }

        return string.Join(' ', names);
    }

    /// <summary>Not a <see cref="RootCommand"/>, which is called after the assembly; with the options that one has.</summary>
    private static Command Root() => new("cimconvert", "Converts Windows container images to block CIMs.")
    {
        new HelpOption(),
        new VersionOption(),
        ConvertCommand.Create(),
            PullCommand.Create(),
        PrewarmCommand.Create(),
        ImportCommand.Create(),
        MergeCommand.Create(),
        LsCommand.Create(),
        CatCommand.Create(),
        ExtractCommand.Create(),
        ExportCommand.Create(),
        PackCommand.Create(),
        VerifyCommand.Create(),
        DiffCommand.Create(),
        InfoCommand.Create(),
        UsageCommand.Create(),
        DestroyCommand.Create(),
        ImagesCommand.Create(),
        GcCommand.Create(),
        ContainerdCommand.Create(),
        DoctorCommand.Create(),
        DifferCommand.Create(),
        UvmCommand.Create(),
        HiveCommand.Create(),
        MountCommand.Create(),
        DismountCommand.Create(),
        DemoCommand.Create(),
    };
}
