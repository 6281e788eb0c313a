using System.CommandLine;
using CimConvert.Cli.Output;
using CimConvert.Pipeline;
using CimConvert.Prewarming;
using CimConvert.Registry.Pull;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert prewarm LIST.yaml</c></summary>
internal static class PrewarmCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("LIST.yaml") { Description = "The list of images, with limits for the run; configs/prewarm.yaml is an example." };
        var output = new Option<string?>("--output", "-o") { Description = "The store to convert into; overrides the one in the list.", HelpName = "DIR" };
        var shard = new Option<Shard?>("--shard")
        {
            Description = "Convert only part I of N of the list, counted from 0; an image's part depends on its name alone.",
            HelpName = "I/N",
            CustomParser = CommonOptions.Parser(Shard.Parse),
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what would be downloaded and converted." };
        var report = new Option<string?>("--report") { Description = "Also write the JSON result to a file.", HelpName = "FILE" };
        var logFormat = CommonOptions.LogFormat();
        var pushing = new PushCommandOptions();
        var into = new IntoOptions();
        var registries = new RegistryCommandOptions();
        var limits = new InputLimitOptions();
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("prewarm", "Converts the images of a list, several at once; skips what is there already.")
        {
            file, output, shard, dryRun, report, logFormat, json, quiet, verbose,
        };
        into.AddTo(command, output);
        registries.AddTo(command);
        limits.AddTo(command);
        pushing.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var list = PrewarmListReader.Read(
                parsed.GetRequiredValue(file), parsed.GetValue(output), into.IsInto(parsed.CommandResult), HostVersion.OfThisWindows);
            if (list.Into is null && into.GivenWithoutInto(parsed.CommandResult) is { } stray)
            {
                throw new InvalidDataException($"{stray} goes with --into, or with 'into' in the list");
            }

            list = list with { Limits = limits.Read(parsed, list.Limits), Into = into.Read(parsed, list.Into), PushSettings = pushing.Read(parsed) };
            if (parsed.GetValue(shard) is { } part)
            {
                list = list with { Images = [.. list.Images.Where(image => part.Has(image.Location.ToString()))] };
            }

            var log = new LogSettings(parsed.GetValue(quiet), parsed.GetValue(verbose), parsed.GetValue(logFormat));
            using var loggers = CommonOptions.CreateLoggers(log);
            using var telemetry = Telemetry.Start();
            var options = registries.Read(parsed, list.Registries);
            using var registry = RegistryClientFactory.Create(options, loggers);
            if (parsed.GetValue(dryRun))
            {
                using var presence = await PresentLayers.OpenAsync(list, loggers.CreateLogger("prewarm"), cancellationToken);
                return PrewarmOutput.Write(await new PrewarmPlan(list, registry, presence).MakeAsync(cancellationToken), parsed.GetValue(json));
            }

            using var destination = await PrewarmDestinations.OpenAsync(list, registry, loggers.CreateLogger("prewarm"), cancellationToken);
            using var run = new PrewarmRun(list, registry, destination, options, loggers.CreateLogger("prewarm"));
            var running = run.RunAsync(cancellationToken);
            var result = log.IsLive ? await new LiveProgress().ShowAsync(running, () => run.Layers) : await running;
            if (parsed.GetValue(report) is { } reportFile)
            {
                PrewarmOutput.WriteFile(reportFile, result);
            }

            return PrewarmOutput.Write(result, parsed.GetValue(json));
        });
        return command;
    }
}
