using System.CommandLine;
using System.CommandLine.Parsing;
using CimConvert.Cims;
using CimConvert.Cli.Output;
using CimConvert.Layers.Hives;
using CimConvert.Pipeline;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert import LAYER.tar --block FILE</c>, or <c>--forked --cim FILE --layer-dir DIR</c></summary>
internal sealed class ImportCommand
{
    private readonly Argument<string> _layer = new("LAYER") { Description = "The layer's tar, uncompressed or compressed with gzip." };
    private readonly Option<string> _block = new("--block") { Description = "The block file to write.", HelpName = "FILE" };
    private readonly Option<string> _cimName = new("--cim-name") { Description = "Name of the CIM in the block file.", DefaultValueFactory = _ => "layer.cim", HelpName = "NAME" };
    private readonly Option<string[]> _parents = new("--parent")
    {
        Description = "A parent layer's block file; one option for each, nearest first, none for a base layer. Hives are read from the folder Hives beside it.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _integrity = CommonOptions.Integrity();
    private readonly Option<bool> _vhdFooter = CommonOptions.VhdFooter();
    private readonly Option<bool> _forked = new("--forked") { Description = "Write a standard CIM, forked from the parent's, instead of a block file." };
    private readonly Option<string> _cim = new("--cim") { Description = "With --forked: the .cim file to write; its region files are written beside it.", HelpName = "FILE" };
    private readonly Option<string> _layerDirectory = new("--layer-dir") { Description = "With --forked: the layer's folder, for its hives.", HelpName = "DIR" };
    private readonly Option<string> _parentCim = new("--parent-cim") { Description = "With --forked: the parent's .cim file, in the same directory as --cim; not given for a base layer.", HelpName = "FILE" };
    private readonly Option<string[]> _parentDirectories = new("--parent-dir") { Description = "With --forked: a parent's layer folder; one option for each, nearest first.", HelpName = "DIR" };
    private readonly InputLimitOptions _limits = new();
    private readonly Option<string> _backend = CommonOptions.Backend();
    private readonly Option<bool> _json = CommonOptions.Json();
    private readonly Option<bool> _quiet = CommonOptions.Quiet();
    private readonly Option<bool> _verbose = CommonOptions.Verbose();

    private ImportCommand()
    {
    }

    public static Command Create() => new ImportCommand().Make();

    private Command Make()
    {
        var command = new Command("import", "Imports one layer's tar into a block CIM or a forked CIM.")
        {
            _layer, _block, _cimName, _parents, _integrity, _vhdFooter, _forked, _cim, _layerDirectory, _parentCim, _parentDirectories,
            _backend, _json, _quiet, _verbose,
        };
        _limits.AddTo(command);
        command.Validators.Add(CheckOptions);
        command.SetAction(RunAsync);
        return command;
    }

    /// <summary>The options for block CIMs and for forked CIMs exclude each other.</summary>
    private void CheckOptions(CommandResult result)
    {
        Option[] ofBlock = [_block, _cimName, _parents, _integrity, _vhdFooter];
        Option[] ofForked = [_cim, _layerDirectory, _parentCim, _parentDirectories];
        var isForked = result.GetValue(_forked);
        foreach (var required in isForked ? (Option[])[_cim, _layerDirectory] : [_block])
        {
            if (!IsGiven(required))
            {
                result.AddError($"Option '{required.Name}' is required{(isForked ? " with --forked" : string.Empty)}.");
            }
        }

        foreach (var option in (isForked ? ofBlock : ofForked).Where(IsGiven))
        {
            result.AddError($"Option '{option.Name}' does not go {(isForked ? "with" : "without")} --forked.");
        }

        if (isForked && IsGiven(_parentCim) != IsGiven(_parentDirectories))
        {
            result.AddError("Options '--parent-cim' and '--parent-dir' go together.");
        }

        bool IsGiven(Option option) => result.GetResult(option) is { Implicit: false };
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var loggers = CommonOptions.CreateLoggers(new LogSettings(parsed.GetValue(_quiet), parsed.GetValue(_verbose)));
        var path = parsed.GetRequiredValue(_layer);
        var isForked = parsed.GetValue(_forked);
        var options = new BlockCimOptions(parsed.GetValue(_integrity), parsed.GetValue(_vhdFooter));
        var backendName = parsed.GetRequiredValue(_backend);
        var backend = isForked ? CimBackends.SelectForking(backendName) : CimBackends.Select(backendName, options);
        var hives = HiveMergers.For(backend);
        var import = new FileImport(backend, hives, options, _limits.Read(parsed), loggers.CreateLogger("import"));
        try
        {
            var (result, cim) = isForked
                ? await import.RunForkedAsync(
                    path,
                    parsed.GetRequiredValue(_cim),
                    parsed.GetRequiredValue(_layerDirectory),
                    parsed.GetValue(_parentCim),
                    parsed.GetValue(_parentDirectories) ?? [],
                    cancellationToken)
                : await import.RunAsync(
                    path, parsed.GetRequiredValue(_block), parsed.GetRequiredValue(_cimName), parsed.GetValue(_parents) ?? [], cancellationToken);
            var cimName = isForked ? Path.GetFileName(cim.Path) : parsed.GetRequiredValue(_cimName);
            Report(cim, cimName, result.Size, result.Entries, backend.Name, hives.Name, parsed.GetValue(_json));
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw Failures.Of(path, e);
        }

        return ExitCodes.Done;
    }

    private static void Report(CommittedCim cim, string cimName, long filesSize, long entries, string backend, string hives, bool asJson)
    {
        if (!asJson)
        {
            Console.WriteLine($"{cim.Path}: {entries} entries, {Sizes.Of(filesSize)} of files in {Sizes.Of(cim.Size)}");
            return;
        }

        JsonOutput.WriteDocument(json =>
        {
            json.WriteStartObject();
            CimJson.Write(json, cim, cimName);
            json.WriteNumber("filesSize", filesSize);
            json.WriteNumber("entries", entries);
            json.WriteString("backend", backend);
            json.WriteString("hives", hives);
            json.WriteEndObject();
        });
    }
}
