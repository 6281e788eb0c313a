using System.Diagnostics;
using System.Globalization;

namespace CimConvert.TestKit.Servers;

/// <summary>What a finished process left behind.</summary>
public sealed record ProcessResult(string Command, int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => System.Text.Encoding.UTF8.GetString(OutputBytes);

    /// <summary>This result, or an exception with everything the process said when it did not end with 0.</summary>
    public ProcessResult EnsureSuccess() => ExitCode == 0
        ? this
        : throw new InvalidOperationException($"{Command}\nended with {ExitCode}\n{Output}\n{Error}");
}

/// <summary>A started program: its output as it comes, its end, and ways to end it. Disposing kills what still runs.</summary>
public sealed class ExternalProcess : IAsyncDisposable
{
    private readonly Process child;
    private readonly string commandLine;
    private readonly Task pumps;

    private ExternalProcess(Process process, string command)
    {
        child = process;
        commandLine = command;
        pumps = Task.WhenAll(
            Output.ReadToEndAsync(process.StandardOutput.BaseStream),
            Error.ReadToEndAsync(process.StandardError.BaseStream));
    }

    public ProcessOutput Output { get; } = new();

    public ProcessOutput Error { get; } = new();

    public int Id => child.Id;

    public bool HasExited => child.HasExited;

    /// <summary>Starts a program; null as a variable's value removes it from the environment.</summary>
    public static ExternalProcess Start(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? workingDirectory = null)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = workingDirectory ?? "",
        };
        foreach ((string name, string? value) in environment ?? new Dictionary<string, string?>(StringComparer.Ordinal))
        {
            start.Environment[name] = value;
        }

        string command = string.Join(' ', [program, .. start.ArgumentList]);
        Process process = Process.Start(start) ?? throw new InvalidOperationException("did not start: " + command);
        // A program that asks for input sees its end at once, and does not wait until the test times out.
        process.StandardInput.Close();
        return new ExternalProcess(process, command);
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<ProcessResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        TimeSpan? timeout = null,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? workingDirectory = null)
    {
        await using ExternalProcess process = Start(program, arguments, environment, workingDirectory);
        return await process.WaitAsync(timeout ?? TimeSpan.FromMinutes(2)).ConfigureAwait(false);
    }

    /// <summary>Waits for the end and all output. Kills the process and throws when the time is over.</summary>
    public async Task<ProcessResult> WaitAsync(TimeSpan timeout)
    {
        using CancellationTokenSource deadline = new(timeout);
        try
        {
            await child.WaitForExitAsync(deadline.Token).ConfigureAwait(false);
            await pumps.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException late)
        {
            Kill();
            throw new TimeoutException($"{commandLine}\nstill ran after {timeout}\n{Output}\n{Error}", late);
        }

        return new ProcessResult(commandLine, child.ExitCode, Output.ToArray(), Error.ToString());
    }

    /// <summary>SIGKILL (the process and its children): no handler runs, as when a node loses power or the OOM killer comes.</summary>
    public void Kill()
    {
        if (!child.HasExited)
        {
            child.Kill(entireProcessTree: true);
        }
    }

    /// <summary>SIGINT, as Ctrl+C sends it. Unix only.</summary>
    public Task InterruptAsync() => SignalAsync("INT");

    /// <summary>SIGTERM, as a service manager sends it. Unix only.</summary>
    public Task TerminateAsync() => SignalAsync("TERM");

    public async ValueTask DisposeAsync()
    {
        Kill();
        await child.WaitForExitAsync().ConfigureAwait(false);
        child.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        // The shell's own kill: no signal call in the framework, and no P/Invoke outside the product's Interop room.
        string id = child.Id.ToString(CultureInfo.InvariantCulture);
        ProcessResult result = await RunAsync("/bin/sh", ["-c", $"kill -{signal} {id}"]).ConfigureAwait(false);
        result.EnsureSuccess();
    }
}
