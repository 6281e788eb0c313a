using System.CommandLine;
using System.CommandLine.Parsing;
using CimConvert.Cims;
using CimConvert.Cli.Output;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Cli.Commands;

/// <summary>Options that several commands have, made anew for each.</summary>
internal static class CommonOptions
{
    public const string VerboseName = "--verbose";

    private const string Text = "text";
    private const string JsonLines = "json";

    public static Option<bool> Json() => new("--json") { Description = "Write the result as JSON to standard output." };

    public static Option<bool> Quiet() => new("--quiet", "-q") { Description = "No progress, and only warnings and errors on standard error." };

    public static Option<bool> Verbose() => new(VerboseName, "-v") { Description = "Log more, and show where an error arose." };

    public static Option<string> LogFormat()
    {
        var option = new Option<string>("--log-format")
        {
            Description = "Log lines as 'text', or as 'json': one object a line with level, message, image and layer.",
            DefaultValueFactory = _ => Text,
        };
        option.AcceptOnlyFromAmong(Text, JsonLines);
        return option;
    }

    public static Option<string> Backend()
    {
        var option = new Option<string>("--backend")
        {
            Description = "What writes the CIMs: 'native' is Windows' own writer, 'managed' is ours, on any system; 'auto' is native where the machine has it.",
            DefaultValueFactory = _ => CimBackends.Auto,
        };
        option.AcceptOnlyFromAmong(CimBackends.Auto, CimBackends.Native, CimBackends.Managed);
        return option;
    }

    public static Option<bool> Integrity() => new("--integrity") { Description = "Seal the block files, and write their root digests beside them." };

    public static Option<bool> VhdFooter() => new("--vhd-footer") { Description = "Append a fixed VHD footer to the block files." };

    public static Option<string[]> Sources() => new("--source")
    {
        Description = "A block file that a merged CIM was merged from; once for each, topmost first. Found by itself in a store.",
        HelpName = "FILE",
    };

    public static Argument<string> Cim() => new("CIM")
    {
        Description = "A block file, FILE::NAME for one CIM of several in it, or the .cim file of a standard set.",
    };

    /// <summary>Reads a value by a method of ours; what it refuses is wrong usage, found before the command does anything.</summary>
    public static Func<ArgumentResult, T?> Parser<T>(Func<string, T> parse)
        where T : class => result =>
    {
        try
        {
            return parse(result.Tokens[^1].Value);
        }
        catch (InvalidDataException e)
        {
            result.AddError(e.Message);
            return null;
        }
    };

    /// <summary>As <see cref="Parser{T}"/>, for values.</summary>
    public static Func<ArgumentResult, T?> ValueParser<T>(Func<string, T> parse)
        where T : struct => result =>
    {
        try
        {
            return parse(result.Tokens[^1].Value);
        }
        catch (InvalidDataException e)
        {
            result.AddError(e.Message);
            return null;
        }
    };

    /// <summary>Log lines for a command; a live display replaces all but warnings.</summary>
    public static ILoggerFactory MakeLoggers(LogSettings settings)
    {
        var level = settings.Quiet || settings.IsLive ? LogLevel.Warning : settings.Verbose ? LogLevel.Debug : LogLevel.Information;
        return LoggerFactory.Create(builder => builder.SetMinimumLevel(level).AddProvider(new StderrLoggerProvider(settings.Format == JsonLines)));
    }

    /// <summary>Opens the CIM that a command names, with its sources: those named, else those the store knows of.</summary>
    public static OpenCim OpenCim(string location, string[]? sources) =>
        Cims.OpenCim.Open(location, sources is { Length: > 0 } ? sources : ConversionStore.SourcesOf(location));
}

/// <summary>What a command says while it runs.</summary>
internal sealed record LogSettings(bool Quiet, bool Verbose, string? Format = null)
{
    /// <summary>Whether a table is drawn on the terminal instead of log lines.</summary>
    public bool IsLive => !Quiet && !Verbose && LiveProgress.IsPossible;
}
