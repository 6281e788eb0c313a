using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cli.Output;
using CimConvert.Layers.Hives;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.Store;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert pull REF --output DIR</c></summary>
internal static class PullCommand
{
    public static Command Create()
    {
        var reference = new Argument<ImageLocation>("REF")
        {
            Description = "A converted image, or the source of one: [REGISTRY/]REPOSITORY[:TAG][@DIGEST], or oci:DIR[:NAME].",
            CustomParser = CommonOptions.Parser(ImageLocation.Parse),
        };
        var output = new Option<string>("--output", "-o") { Description = "The store to pull into; created if it does not exist.", HelpName = "DIR", Required = true };
        var platform = CommonOptions.Platform("The platform to take, if the image has several.");
        var osVersion = CommonOptions.OsVersion(
            "The Windows version to take, in full or its first parts, or 'host' for this machine's version. Default: this machine's on Windows, elsewhere the newest.");
        var from = new Option<NameTemplate?>("--from")
        {
            Description = "Where else the converted image may be, if nothing refers to the source: a reference with {registry}, {repository} and {tag}, which stand for the source's.",
            CustomParser = CommonOptions.Parser(text => new NameTemplate(text)),
            HelpName = "PATTERN",
        };
        var verifySource = new Option<bool>("--verify-source")
        {
            Description = "Of a converted image that is named itself, require that it names its source as its subject, and that the source is there.",
        };
        var orConvert = new Option<bool>("--or-convert") { Description = "If nobody has converted the image in this form, convert it here." };
        var form = new FormOptions();
        var registry = new RegistryCommandOptions();
        var limits = new InputLimitOptions();
        var concurrency = CommonOptions.Concurrency("How many layers are downloaded at once. The result does not depend on it.");
        var backendName = CommonOptions.Backend();
        var json = CommonOptions.Json();
        var logFormat = CommonOptions.LogFormat();
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("pull", "Takes an image that was converted before from a registry into a store, which is then as after 'convert'.")
        {
            reference, output, platform, osVersion, from, verifySource, orConvert, concurrency, backendName, json, logFormat, quiet, verbose,
        };
        form.AddTo(command);
        registry.AddTo(command);
        limits.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var location = parsed.GetRequiredValue(reference);
            var name = CimBackends.NameFor(parsed.GetRequiredValue(backendName), form.Block(parsed), form.IsForked(parsed));
            var backend = parsed.GetValue(orConvert) ? form.Backend(parsed, name) : null;
            var options = new ConversionOptions
            {
                Platform = parsed.GetRequiredValue(platform),
                OsVersion = parsed.GetValue(osVersion),
                HostVersion = HostVersion.OfThisWindows,
                Input = limits.Read(parsed),
                Concurrency = parsed.GetValue(concurrency),
                Forked = form.IsForked(parsed),
                Block = form.Block(parsed),
                Hives = backend is null ? new ManagedHiveMerger() : HiveMergers.For(backend),
            };
            var wanted = ConvertedForm.Of(name, options.Forked, options.Block);
            var log = new LogSettings(parsed.GetValue(quiet), parsed.GetValue(verbose), parsed.GetValue(logFormat));
            var result = await ConvertCommand.WithRegistryAsync(registry.Read(parsed), log, "pull", async (client, logger) =>
            {
                var finder = new ConversionFinder(client, wanted, options, parsed.GetValue(from)?.For(location), parsed.GetValue(verifySource), logger);
                var store = ConversionStore.Open(parsed.GetRequiredValue(output));
                var pull = new ImagePull(store, name, finder, options, logger, backend is null ? null : new ImageConversion(store, backend, options, logger));
                return await ConvertCommand.ShowAsync(() => pull.Layers, pull.RunAsync(location.Open(client), cancellationToken), log);
            });
            ConversionReport.Write(result, parsed.GetValue(json));
            return ExitCodes.Done;
        });
        return command;
    }
}
