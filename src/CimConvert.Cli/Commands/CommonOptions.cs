using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using CimConvert.Cims;
using CimConvert.Cli.Output;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Cli.Commands;

/// <summary>Options that several commands share; each command gets its own instance.</summary>
internal static class CommonOptions
{
    public const string VerboseName = "--verbose";

    private const int MaxConcurrency = 64;
    private const string Text = "text";
    private const string JsonLines = "json";

    public static Option<bool> Json() => new("--json") { Description = "Write the result as JSON to standard output." };

    public static Option<bool> Quiet() => new("--quiet", "-q") { Description = "Show no progress, and log only warnings and errors." };

    public static Option<bool> Verbose() => new(VerboseName, "-v") { Description = "Log more, and print the stack trace of an error." };

    public static Option<string> LogFormat()
    {
        var option = new Option<string>("--log-format")
        {
            Description = "Log lines as 'text', or as 'json': one object per line with level, message, image and layer.",
            DefaultValueFactory = _ => Text,
        };
        option.AcceptOnlyFromAmong(Text, JsonLines);
        return option;
    }

    public static Option<Platform> Platform(string description) => new("--platform")
    {
        Description = description,
        HelpName = "OS/ARCH",
        DefaultValueFactory = _ => Oci.Platform.Parse("windows/amd64"),
        CustomParser = Parser(Oci.Platform.Parse),
    };

    public static Option<string?> OsVersion(string description) => new("--os-version")
    {
        Description = description,
        HelpName = "V",
        CustomParser = Parser(version => HostVersion.Parse(version, HostVersion.OfThisWindows)),
    };

    public static Option<string> Backend()
    {
        var option = new Option<string>("--backend")
        {
            Description = "What writes the CIMs: 'native' is Windows' own writer, 'managed' the writer in this program, for any system; 'auto' is native if this machine has it.",
            DefaultValueFactory = _ => CimBackends.Auto,
        };
        option.AcceptOnlyFromAmong(CimBackends.Auto, CimBackends.Native, CimBackends.Managed);
        return option;
    }

    public static Option<int> Concurrency(string description) => new("--concurrency")
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => ConversionOptions.DefaultConcurrency,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= MaxConcurrency)
            {
                return number;
            }

            result.AddError($"--concurrency takes a number from 1 to {MaxConcurrency}, not '{text}'");
            return 0;
        },
    };

    public static Option<bool> Integrity() => new("--integrity") { Description = "Seal the block files, and write their root digests to files beside them." };

    public static Option<bool> VhdFooter() => new("--vhd-footer") { Description = "Append a fixed VHD footer to the block files." };

    public static Option<string[]> Sources() => new("--source")
    {
        Description = "A block file that the merged CIM refers to; one option for each, topmost first. Found automatically in a store.",
        HelpName = "FILE",
    };

    public static Argument<string> Cim() => new("CIM")
    {
        Description = "A block file, FILE::NAME for one of several CIMs in it, or a standard .cim file.",
    };

    /// <summary>Parses an option's value; an <see cref="InvalidDataException"/> is reported as wrong usage, before the command runs.</summary>
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

    /// <summary>As <see cref="Parser{T}"/>, for value types.</summary>
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

    /// <summary>Creates a command's loggers. While a progress table is drawn, only warnings and errors are logged.</summary>
    public static ILoggerFactory CreateLoggers(LogSettings settings) => LoggerFactory.Create(builder => Configure(builder, settings));

    /// <summary>As <see cref="CreateLoggers"/>, for a host that makes its own.</summary>
    public static void Configure(ILoggingBuilder builder, LogSettings settings)
    {
        var level = settings.Quiet || settings.IsLive ? LogLevel.Warning : settings.Verbose ? LogLevel.Debug : LogLevel.Information;
        builder.SetMinimumLevel(level).AddProvider(new StderrLoggerProvider(settings.Format == JsonLines));
    }

    /// <summary>Opens a CIM with its sources: those given, else those that the store records.</summary>
    public static OpenCim OpenCim(string location, string[]? sources) =>
        Cims.OpenCim.Open(location, sources is { Length: > 0 } ? sources : ConversionStore.SourcesOf(location));
}

/// <summary>What a command logs while it runs.</summary>
internal sealed record LogSettings(bool Quiet, bool Verbose, string? Format = null)
{
    /// <summary>Whether the command has progress to show at all.</summary>
    public bool HasProgress { get; init; } = true;

    /// <summary>Whether a progress table on the terminal replaces log lines.</summary>
    public bool IsLive => HasProgress && !Quiet && !Verbose && LiveProgress.IsPossible;
}
