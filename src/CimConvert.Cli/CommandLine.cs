using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using CimConvert.Cli.Commands;
using CimConvert.Cli.Output;
using CimConvert.Prewarming;

namespace CimConvert.Cli;

/// <summary>Builds the command line, runs one command, and turns how it ended into one line and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>An argument that starts with '@' is what it says, not a file of arguments: registry values have such names.</summary>
    private static readonly ParserConfiguration s_parser = new() { ResponseFileTokenReplacer = null };

    /// <summary>Windows itself waits five seconds (HandlerRoutine, "Timeouts", learn.microsoft.com).</summary>
    private static readonly TimeSpan s_consoleClose = TimeSpan.FromSeconds(4);

    public static async Task<int> RunAsync(string[] args)
    {
        using var cancellationToken = new CancellationTokenSource();
        var cleanedUp = new TaskCompletionSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);

        // On Windows: the console is closed.
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Cancel);
        try
        {
            return await RunAsync(args, cancellationToken.Token);
        }
        finally
        {
            cleanedUp.SetResult();
        }

        // The first signal lets the command clean up after itself; a second one ends the process as usual.
        void Cancel(PosixSignalContext context)
        {
            context.Cancel = !cancellationToken.IsCancellationRequested;
            cancellationToken.Cancel();
            if (OperatingSystem.IsWindows() && context.Signal != PosixSignal.SIGINT)
            {
                // Windows ends the process when the handler of a closed console, or of its own shutdown, returns.
                cleanedUp.Task.Wait(s_consoleClose);
            }
        }
    }

    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        var parsed = Root().Parse(args, s_parser);
        string[] wrong = [.. parsed.Errors.Select(error => error.Message.TrimEnd('.')), .. EmptyNames(parsed)];
        if (wrong.Length > 0)
        {
            var errors = string.Join("; ", wrong);
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

    /// <summary>Nothing has an empty name but a CIM's root, a hive's root and a key's default value.</summary>
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
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult command; at = at.Parent)
        {
            names.Insert(0, command.Command is RootCommand ? "cimconvert" : command.Command.Name);
        }

        return string.Join(' ', names);
    }

    private static RootCommand Root() => new("Converts Windows container images to block CIMs.")
    {
        ConvertCommand.Create(),
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
        GcCommand.Create(),
        UvmCommand.Create(),
        HiveCommand.Create(),
        MountCommand.Create(),
        DismountCommand.Create(),
        DemoCommand.Create(),
    };
}
