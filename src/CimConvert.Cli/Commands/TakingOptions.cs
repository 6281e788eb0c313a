using System.CommandLine;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Registry.Pull;
using CimConvert.Sources;

namespace CimConvert.Cli.Commands;

/// <summary>The options of <c>convert --into containerd</c> by which layers are taken from what somebody has converted.</summary>
internal sealed class TakingOptions
{
    private readonly Option<bool> _prefer = new("--prefer-converted")
    {
        Description = "With --into: take layers from an image that was converted and pushed before, if there is one in the form that the snapshotter wants.",
    };

    private readonly Option<NameTemplate?> _from = new("--from")
    {
        Description = "With --prefer-converted: where else the converted image may be, if nothing refers to the source; a reference with {registry}, {repository} and {tag}, which stand for the source's.",
        CustomParser = CommonOptions.Parser(text => new NameTemplate(text)),
        HelpName = "PATTERN",
    };

    public void AddTo(Command command, IntoOptions into)
    {
        command.Options.Add(_prefer);
        command.Options.Add(_from);
        command.Validators.Add(result =>
        {
            var prefers = result.GetResult(_prefer) is { Implicit: false };
            if (prefers && !into.IsInto(result))
            {
                result.AddError($"{_prefer.Name} goes with --into; 'cimconvert pull --or-convert' does so for a store");
            }

            if (!prefers && result.GetResult(_from) is { Implicit: false })
            {
                result.AddError($"{_from.Name} goes with {_prefer.Name}");
            }
        });
    }

    /// <returns>Null if every layer is converted.</returns>
    public TakingConverted? Read(ParseResult parsed, ImageLocation image, RegistryClient registry) =>
        parsed.GetValue(_prefer) ? new TakingConverted(registry, parsed.GetValue(_from)?.For(image), IsRequired: false) : null;
}
