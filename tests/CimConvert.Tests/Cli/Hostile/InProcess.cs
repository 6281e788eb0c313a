using CimConvert.Cli;

namespace CimConvert.Tests.Cli.Hostile;

/// <summary>
/// The program's own entry, without a process for each run: what it says on standard error is caught for each run by itself, however
/// many there are at once.
/// </summary>
internal static class InProcess
{
    private static readonly AsyncLocal<StringWriter?> s_error = new();

    static InProcess() => Console.SetError(new Divided(Console.Error));

    public static async Task<(int ExitCode, string Error)> RunAsync(params string[] arguments)
    {
        using var error = new StringWriter();
        s_error.Value = error;
        var exitCode = await CommandLine.RunAsync(arguments, CancellationToken.None);
        s_error.Value = null;
        return (exitCode, error.ToString());
    }

    private sealed class Divided(TextWriter all) : TextWriter
    {
        public override System.Text.Encoding Encoding => all.Encoding;

        public override void Write(char value) => (s_error.Value ?? all).Write(value);

        public override void Write(string? value) => (s_error.Value ?? all).Write(value);
    }
}
