using System.CommandLine;
using System.CommandLine.Parsing;
using CimConvert.Containerd;
using CimConvert.Pipeline;

namespace CimConvert.Cli.Commands;

/// <summary>The options of the commands that convert images into containerd instead of a store.</summary>
internal sealed class IntoOptions
{
    private const string Containerd = "containerd";

    private readonly Option<string?> _into = new("--into") { Description = "Convert into this machine's 'containerd' instead of a store, so that pods start from what is there." };
    private readonly Option<ContainerdAddress> _address = ContainerdOptions.Address();
    private readonly Option<string> _namespace = ContainerdOptions.Namespace();

    private readonly Option<string> _snapshotter = ContainerdOptions.Snapshotter(
        "With --into: 'cimfs' takes forked CIMs, 'blockcim' block CIMs; 'auto' is the one that containerd has loaded, cimfs first.");

    private readonly Option<string> _state = new("--state")
    {
        Description = "With --into: the folder for partial downloads and claims. If it is a store, its finished block layers are linked.",
        HelpName = "DIR",
        DefaultValueFactory = _ => IntoContainerd.DefaultState,
    };

    private readonly Option<bool> _noPin = new("--no-pin") { Description = "With --into: let kubelet remove the image when no pod uses it and the disk fills." };

    private readonly Option<bool> _layerBlobs = new("--layer-blobs")
    {
        Description = "With --into: also give containerd the layers' blobs, which it needs to export or push the image, but not to run it.",
    };

    private readonly Option<bool> _allowUnmounted = ContainerdOptions.AllowUnmountedFormat("With --into, for");

    public IntoOptions() => _into.AcceptOnlyFromAmong(Containerd);

    private Option[] Others => [_address, _namespace, _snapshotter, _state, _noPin, _layerBlobs, _allowUnmounted];

    /// <param name="command">Gets the options.</param>
    /// <param name="output">The option that names a store; it cannot be given too.</param>
    /// <param name="onlyForStores">Options that say how a store's layers are made, or where they are pushed.</param>
    public void AddTo(Command command, Option output, params Option[] onlyForStores)
    {
        command.Options.Add(_into);
        foreach (var option in Others)
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            var isInto = IsGiven(result, _into);
            foreach (var option in (Option[])[output, .. onlyForStores])
            {
                if (isInto && IsGiven(result, option))
                {
                    result.AddError($"{option.Name} is for a store, and --into {Containerd} uses none");
                }
            }
        });
    }

    /// <summary>Whether images go into containerd by what the command line says.</summary>
    public bool IsInto(CommandResult result) => IsGiven(result, _into);

    /// <summary>The first option that is given and needs --into; null if there is none.</summary>
    public string? GivenWithoutInto(CommandResult result) => IsInto(result) ? null : Array.Find(Others, option => IsGiven(result, option))?.Name;

    /// <param name="parsed">The command line.</param>
    /// <param name="listed">The settings in a list file; the command line takes precedence.</param>
    /// <returns>Null if neither says that images go into containerd.</returns>
    public IntoContainerd? Read(ParseResult parsed, IntoContainerd? listed = null)
    {
        var result = parsed.CommandResult;
        if (!IsInto(result) && listed is null)
        {
            return null;
        }

        var into = listed ?? new IntoContainerd();
        return into with
        {
            Address = IsGiven(result, _address) ? parsed.GetRequiredValue(_address) : into.Address,
            Namespace = IsGiven(result, _namespace) ? parsed.GetRequiredValue(_namespace) : into.Namespace,
            Snapshotter = IsGiven(result, _snapshotter) ? parsed.GetRequiredValue(_snapshotter) : into.Snapshotter,
            State = IsGiven(result, _state) ? parsed.GetRequiredValue(_state) : into.State,
            Pin = into.Pin && !parsed.GetValue(_noPin),
            LayerBlobs = into.LayerBlobs || parsed.GetValue(_layerBlobs),
            AllowsUnmountedFormat = parsed.GetValue(_allowUnmounted),
        };
    }

    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };
}
