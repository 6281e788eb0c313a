using System.CommandLine;
using System.CommandLine.Parsing;
using CimConvert.Cli.Differ;
using CimConvert.Containerd;
using CimConvert.Pipeline;

namespace CimConvert.Cli.Commands;

/// <summary>Options of a differ: of the command that runs one, and of the command that makes a Windows service of it.</summary>
internal sealed class DifferOptions
{
    private readonly Option<ContainerdAddress> _listen = new("--listen")
    {
        Description = "Where to listen: unix:///PATH, or on Windows npipe:////./pipe/NAME. Only this user, on Windows SYSTEM and administrators, may connect.",
        HelpName = "ADDRESS",
        Required = true,
        CustomParser = CommonOptions.Parser(ContainerdAddress.Parse),
    };

    private readonly Option<ContainerdAddress> _containerd = ContainerdOptions.Address();
    private readonly Option<int> _concurrency = CommonOptions.Concurrency(
        "How many layers are imported at once; the others wait. Without this option, one of those for the snapshotter cimfs: its driver has crashed machines that handled many (hcsshim issue 2625).");

    private readonly Option<string> _backend = CommonOptions.Backend();
    private readonly Option<bool> _allowUnmounted = ContainerdOptions.AllowUnmountedFormat();
    private readonly InputLimitOptions _limits = new();
    private readonly Option<string> _logFormat = CommonOptions.LogFormat();
    private readonly Option<bool> _quiet = CommonOptions.Quiet();
    private readonly Option<bool> _verbose = CommonOptions.Verbose();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_listen, _containerd, _concurrency, _backend, _allowUnmounted, _logFormat, _quiet, _verbose])
        {
            command.Options.Add(option);
        }

        _limits.AddTo(command);
    }

    public DifferSettings Read(ParseResult parsed) => new()
    {
        Listen = parsed.GetRequiredValue(_listen),
        Containerd = parsed.GetRequiredValue(_containerd),
        Backend = new ContainerdBackend(parsed.GetRequiredValue(_backend), parsed.GetValue(_allowUnmounted)),
        Limits = _limits.Read(parsed),
        Concurrency = parsed.GetValue(_concurrency),
        CimFsConcurrency = parsed.GetResult(_concurrency) is { Implicit: false } ? parsed.GetValue(_concurrency) : 1,
        Log = new LogSettings(parsed.GetValue(_quiet), parsed.GetValue(_verbose), parsed.GetValue(_logFormat)) { HasProgress = false },
    };

    /// <summary>The options as they were given, for another command line.</summary>
    public static IEnumerable<string> Given(ParseResult parsed, params Option[] except) =>
        from result in parsed.CommandResult.Children.OfType<OptionResult>()
        where !result.Implicit && !except.Contains(result.Option)
        from word in result.Tokens.Select(token => token.Value).Prepend(result.Option.Name)
        select word;
}
