using System.CommandLine;
using System.Globalization;
using CimConvert.Layers;

namespace CimConvert.Cli.Commands;

/// <summary>The limits for each layer, of every command that imports layers.</summary>
internal sealed class InputLimitOptions
{
    private readonly Option<long?> _layerSize = new("--max-layer-size")
    {
        Description = "The largest uncompressed tar of a layer. Default: 128GiB.",
        HelpName = "SIZE",
        CustomParser = CommonOptions.ValueParser(InputLimits.ParseLayerSize),
    };

    private readonly Option<int?> _expansion = Number(
        "--max-expansion", "How many times its compressed size a layer of more than 1 GiB may expand to. Default: 1100, more than gzip can reach.");

    private readonly Option<int?> _entries = Number(
        "--max-entries", "The most files, directories, links and whiteouts of a layer. Each takes about 500 bytes of memory. Default: 1000000.");

    public void AddTo(Command command)
    {
        command.Options.Add(_layerSize);
        command.Options.Add(_expansion);
        command.Options.Add(_entries);
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="listed">The limits in a list file; the command line takes precedence.</param>
    public InputLimits Read(ParseResult parsed, InputLimits? listed = null)
    {
        var limits = listed ?? new InputLimits();
        return new InputLimits
        {
            MaxLayerSize = parsed.GetValue(_layerSize) ?? limits.MaxLayerSize,
            MaxExpansion = parsed.GetValue(_expansion) ?? limits.MaxExpansion,
            MaxEntries = parsed.GetValue(_entries) ?? limits.MaxEntries,
        };
    }

    private static Option<int?> Number(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = CommonOptions.ValueParser(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new InvalidDataException($"{name} takes a number from 1 to {int.MaxValue}, not '{text}'")),
    };
}
