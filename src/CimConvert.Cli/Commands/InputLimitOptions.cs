using System.CommandLine;
using System.Globalization;
using CimConvert.Layers;

namespace CimConvert.Cli.Commands;

/// <summary>The options of every command that imports layers: how much of the machine one of them may take.</summary>
internal sealed class InputLimitOptions
{
    private readonly Option<long?> _layerSize = new("--max-layer-size")
    {
        Description = "The most bytes that a layer's uncompressed tar may have; 128GiB if not given.",
        HelpName = "SIZE",
        CustomParser = CommonOptions.ValueParser(InputLimits.ParseLayerSize),
    };

    private readonly Option<int?> _expansion = Number(
        "--max-expansion", "How many times its compressed size a layer of more than 1 GiB may have; 1100, more than gzip can do, if not given.");

    private readonly Option<int?> _entries = Number(
        "--max-entries", "The most files, directories, links and removals of a layer; 1000000 if not given. Each takes some 500 bytes of memory.");

    public void AddTo(Command command)
    {
        command.Options.Add(_layerSize);
        command.Options.Add(_expansion);
        command.Options.Add(_entries);
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="listed">What a list file says; the command line goes before it.</param>
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
