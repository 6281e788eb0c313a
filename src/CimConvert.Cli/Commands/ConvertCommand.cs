using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cli.Output;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Registry;
using CimConvert.Registry.Pull;
using CimConvert.Registry.Push;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert convert REF --output DIR</c>, or <c>--into containerd</c></summary>
internal static class ConvertCommand
{
    private const string BlockFormat = "block";
    private const string ForkedFormat = "forked";

    public static Command Create()
    {
        var reference = new Argument<ImageLocation>("REF")
        {
            Description = "The image: [REGISTRY/]REPOSITORY[:TAG][@DIGEST], oci:DIR[:NAME] or docker-archive:FILE[:NAME].",
            CustomParser = CommonOptions.Parser(ImageLocation.Parse),
        };
        var output = new Option<string?>("--output", "-o") { Description = "The store to convert into; created if it does not exist. Required without --into.", HelpName = "DIR" };
        var platform = CommonOptions.Platform("The platform to convert, if the image has several.");
        var osVersion = CommonOptions.OsVersion(
            "The Windows version to convert, in full or its first parts, or 'host' for this machine's version. Default: this machine's on Windows, elsewhere the newest.");
        var all = new Option<bool>("--all") { Description = "Convert every Windows version that the index has for the platform." };
        var push = new Option<ImageReference?>("--push")
        {
            Description = "Also push the converted image to [REGISTRY/]REPOSITORY[:TAG].",
            CustomParser = CommonOptions.Parser(ParseTagged),
            HelpName = "REF",
        };
        var subject = new Option<bool>("--subject") { Description = "Make the source the subject of the converted image: registries then list it among the source's referrers." };
        var into = new IntoOptions();
        var registry = new RegistryCommandOptions();
        var limits = new InputLimitOptions();
        var concurrency = CommonOptions.Concurrency("How many layers are downloaded and imported at once. The result does not depend on it.");
        var format = new Option<string>("--format")
        {
            Description = "'block' converts each layer to a block CIM and merges them; 'forked' makes standard CIMs, each forked from that of the layer below.",
            DefaultValueFactory = _ => BlockFormat,
        };
        format.AcceptOnlyFromAmong(BlockFormat, ForkedFormat);
        var integrity = CommonOptions.Integrity();
        var vhdFooter = CommonOptions.VhdFooter();
        var backendName = CommonOptions.Backend();
        var json = CommonOptions.Json();
        var logFormat = CommonOptions.LogFormat();
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("convert", "Pulls an image, and converts it to CIMs in a store or in containerd.")
        {
            reference, output, platform, osVersion, all, format, integrity, vhdFooter, push, subject, concurrency, backendName, json, logFormat, quiet, verbose,
        };
        into.AddTo(command, output, all, format, integrity, vhdFooter, push, subject);
        registry.AddTo(command);
        limits.AddTo(command);
        command.Validators.Add(result =>
        {
            if (!into.IsInto(result) && result.GetResult(output) is null)
            {
                result.AddError($"Option '{output.Name}' is required.");
            }

            if (into.GivenWithoutInto(result) is { } stray)
            {
                result.AddError($"{stray} goes with --into");
            }

            if (result.GetValue(all) && result.GetResult(osVersion) is { Implicit: false })
            {
                result.AddError("--all takes every version, and --os-version one: leave one out");
            }

            if (result.GetValue(all) && result.GetResult(push) is { Implicit: false })
            {
                result.AddError("--push takes one image, and --all converts several: push them by --os-version, each to a tag of its own");
            }

            if (result.GetValue(format) == ForkedFormat && (result.GetValue(integrity) || result.GetValue(vhdFooter)))
            {
                result.AddError("--integrity and --vhd-footer are for block files, which --format forked does not make");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var log = new LogSettings(parsed.GetValue(quiet), parsed.GetValue(verbose), parsed.GetValue(logFormat));
            var common = new ConversionOptions
            {
                Platform = parsed.GetRequiredValue(platform),
                OsVersion = parsed.GetValue(osVersion),
                HostVersion = HostVersion.OfThisWindows,
                Input = limits.Read(parsed),
                Concurrency = parsed.GetValue(concurrency),
            };
            if (into.Read(parsed) is { } containerd)
            {
                var registered = await RunIntoAsync(
                    parsed.GetRequiredValue(reference), containerd, parsed.GetRequiredValue(backendName), common, registry.Read(parsed), log, cancellationToken);
                ContainerdReport.Write(registered, parsed.GetValue(json));
                return ExitCodes.Done;
            }

            var cimOptions = new BlockCimOptions(parsed.GetValue(integrity), parsed.GetValue(vhdFooter));
            var isForked = parsed.GetValue(format) == ForkedFormat;
            var backend = isForked ? CimBackends.SelectForking(parsed.GetRequiredValue(backendName)) : CimBackends.Select(parsed.GetRequiredValue(backendName), cimOptions);
            var options = common with
            {
                Forked = isForked,
                Block = cimOptions,
                Hives = HiveMergers.For(backend),
                WithSubject = parsed.GetValue(subject),
            };
            if (parsed.GetValue(all))
            {
                var results = await RunAllAsync(
                    parsed.GetRequiredValue(reference), parsed.GetRequiredValue(output)!, backend, options, registry.Read(parsed), log, cancellationToken);
                return IndexReport.Write(results, parsed.GetValue(json));
            }

            var result = await RunAsync(
                parsed.GetRequiredValue(reference),
                parsed.GetRequiredValue(output)!,
                parsed.GetValue(push),
                backend,
                options,
                registry.Read(parsed),
                log,
                cancellationToken);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer => ConversionReport.WriteJson(writer, result));
            }
            else
            {
                ConversionReport.WriteText(result);
            }

            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>Converts one image into a store; shows progress on a terminal, or logs.</summary>
    public static Task<ConversionResult> RunAsync(
        ImageLocation image,
        string output,
        ImageReference? push,
        ICimBackend backend,
        ConversionOptions options,
        RegistryOptions registryOptions,
        LogSettings log,
        CancellationToken cancellationToken) => WithRegistryAsync(registryOptions, log, async (registry, logger) =>
    {
        var store = ConversionStore.Open(output);
        var target = push is null ? null : await registry.PusherToAsync(push, cancellationToken);
        var conversion = new ImageConversion(store, backend, options, logger, target);
        return await ShowAsync(() => conversion.Layers, conversion.RunAsync(image.Open(registry), cancellationToken), log);
    });

    /// <summary>As <see cref="RunAsync"/>, for every version of an index.</summary>
    private static Task<IndexConversionResult> RunAllAsync(
        ImageLocation image,
        string output,
        ICimBackend backend,
        ConversionOptions options,
        RegistryOptions registryOptions,
        LogSettings log,
        CancellationToken cancellationToken) => WithRegistryAsync(registryOptions, log, async (registry, logger) =>
    {
        var store = ConversionStore.Open(output);
        using var limits = new ConversionLimits();
        var conversion = new IndexConversion(options with { Limits = limits }, chosen => new ImageConversion(store, backend, chosen, logger));
        return await ShowAsync(() => conversion.Layers, conversion.RunAsync(() => image.Open(registry), cancellationToken), log);
    });

    /// <summary>As <see cref="RunAsync"/>, into containerd.</summary>
    private static Task<ContainerdResult> RunIntoAsync(
        ImageLocation image,
        IntoContainerd into,
        string backend,
        ConversionOptions options,
        RegistryOptions registryOptions,
        LogSettings log,
        CancellationToken cancellationToken) => WithRegistryAsync(registryOptions, log, async (registry, logger) =>
    {
        using var target = await into.OpenAsync(backend, logger, cancellationToken);
        var conversion = new ContainerdConversion(target, options, logger);
        return await ShowAsync(() => conversion.Layers, conversion.RunAsync(image.Open(registry), cancellationToken), log);
    });

    private static async Task<T> WithRegistryAsync<T>(RegistryOptions options, LogSettings log, Func<RegistryClient, ILogger, Task<T>> convert)
    {
        using var loggers = CommonOptions.CreateLoggers(log);
        using var telemetry = Telemetry.Start();
        using var registry = RegistryClientFactory.Create(options, loggers);
        return await convert(registry, loggers.CreateLogger("convert"));
    }

    private static Task<T> ShowAsync<T>(Func<IReadOnlyList<LayerPlan>> layers, Task<T> running, LogSettings log) =>
        log.IsLive ? new LiveProgress().ShowAsync(running, layers) : running;

    private static ImageReference ParseTagged(string text) => ImageReference.Parse(text) is { Digest: null } reference
        ? reference
        : throw new InvalidDataException($"--push takes a tag, not a digest, which is known only after the conversion: '{text}'");
}
