using System.CommandLine;
using CimConvert.Cims;

namespace CimConvert.Cli.Commands;

/// <summary>The options that say what the CIMs of an image are like.</summary>
internal sealed class FormOptions
{
    private const string BlockFormat = "block";
    private const string ForkedFormat = "forked";

    public FormOptions() => Format.AcceptOnlyFromAmong(BlockFormat, ForkedFormat);

    public Option<string> Format { get; } = new("--format")
    {
        Description = "'block' converts each layer to a block CIM and merges them; 'forked' makes standard CIMs, each forked from that of the layer below.",
        DefaultValueFactory = _ => BlockFormat,
    };

    public Option<bool> Integrity { get; } = CommonOptions.Integrity();

    public Option<bool> VhdFooter { get; } = CommonOptions.VhdFooter();

    public void AddTo(Command command)
    {
        command.Options.Add(Format);
        command.Options.Add(Integrity);
        command.Options.Add(VhdFooter);
        command.Validators.Add(result =>
        {
            if (result.GetValue(Format) == ForkedFormat && (result.GetValue(Integrity) || result.GetValue(VhdFooter)))
            {
                result.AddError("--integrity and --vhd-footer are for block files, which --format forked does not make");
            }
        });
    }

    public bool IsForked(ParseResult parsed) => parsed.GetValue(Format) == ForkedFormat;

    public BlockCimOptions Block(ParseResult parsed) => new(parsed.GetValue(Integrity), parsed.GetValue(VhdFooter));

    /// <exception cref="ConversionException">The back end cannot be used; the message says why.</exception>
    public ICimBackend Backend(ParseResult parsed, string name) => IsForked(parsed) ? CimBackends.SelectForking(name) : CimBackends.Select(name, Block(parsed));
}
