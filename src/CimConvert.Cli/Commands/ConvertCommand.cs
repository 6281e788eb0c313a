using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cli.Output;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Registry;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert convert REF --output DIR</c>, or <c>--into containerd</c></summary>
internal static class ConvertCommand
{
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
        var pushing = new PushCommandOptions();
        var into = new IntoOptions();
        var taking = new TakingOptions();
        var registry = new RegistryCommandOptions();
        var limits = new InputLimitOptions();
        var concurrency = CommonOptions.Concurrency("How many layers are downloaded and imported at once. The result does not depend on it.");
        var form = new FormOptions();
        var backendName = CommonOptions.Backend();
        var json = CommonOptions.Json();
        var logFormat = CommonOptions.LogFormat();
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("convert", "Pulls an image, and converts it to CIMs in a store or in containerd.")
        {
            reference, output, platform, osVersion, all, push, subject, concurrency, backendName, json, logFormat, quiet, verbose,
        };
        into.AddTo(command, output, all, form.Format, form.Integrity, form.VhdFooter, push, subject);
        taking.AddTo(command, into);
        registry.AddTo(command);
        limits.AddTo(command);
        pushing.AddTo(command);
        form.AddTo(command);
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
                    parsed.GetRequiredValue(reference),
                    containerd,
                    client => taking.Read(parsed, parsed.GetRequiredValue(reference), client),
                    parsed.GetRequiredValue(backendName),
                    common,
                    registry.Read(parsed),
                    log,
                    cancellationToken);
                ContainerdReport.Write(registered, parsed.GetValue(json));
                return ExitCodes.Done;
            }

            var backend = form.Backend(parsed, parsed.GetRequiredValue(backendName));
            var options = common with
            {
                Forked = form.IsForked(parsed),
                Block = form.Block(parsed),
                Hives = HiveMergers.For(backend),
                WithSubject = parsed.GetValue(subject),
            };
            var (image, store) = (parsed.GetRequiredValue(reference), parsed.GetRequiredValue(output)!);
            (ImageReference, PushSettings)? target = parsed.GetValue(push) is { } name ? (name, pushing.Read(parsed)) : null;
            if (parsed.GetValue(all))
            {
                var results = await RunAllAsync(image, store, target, backend, options, registry.Read(parsed), log, cancellationToken);
                return IndexReport.Write(results, parsed.GetValue(json));
            }

            var result = await RunAsync(image, store, target, backend, options, registry.Read(parsed), log, cancellationToken);
            ConversionReport.Write(result, parsed.GetValue(json));
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>Converts one image into a store; shows progress on a terminal, or logs.</summary>
    /// <param name="image">The image.</param>
    /// <param name="store">The store; created if it does not exist.</param>
    /// <param name="push">Where the image is pushed to, and how; null for nowhere.</param>
    /// <param name="backend">Writes the CIMs.</param>
    /// <param name="options">How they are written.</param>
    /// <param name="registryOptions">How registries are reached.</param>
    /// <param name="log">What is told meanwhile.</param>
    /// <param name="cancellationToken">Stops; what is finished stays.</param>
    public static Task<ConversionResult> RunAsync(
        ImageLocation image,
        string store,
        (ImageReference Target, PushSettings Settings)? push,
        ICimBackend backend,
        ConversionOptions options,
        RegistryOptions registryOptions,
        LogSettings log,
        CancellationToken cancellationToken) => WithRegistryAsync(registryOptions, log, "convert", async (registry, logger) =>
    {
        var conversion = new ImageConversion(ConversionStore.Open(store), backend, options, logger, await OpenAsync(push, registry, cancellationToken));
        return await ShowAsync(() => conversion.Layers, conversion.RunAsync(image.Open(registry), cancellationToken), log);
    });

    /// <summary>As <see cref="RunAsync"/>, for every version of an index, which is pushed as an index, too.</summary>
    private static Task<IndexConversionResult> RunAllAsync(
        ImageLocation image,
        string store,
        (ImageReference Target, PushSettings Settings)? push,
        ICimBackend backend,
        ConversionOptions options,
        RegistryOptions registryOptions,
        LogSettings log,
        CancellationToken cancellationToken) => WithRegistryAsync(registryOptions, log, "convert", async (registry, logger) =>
    {
        using var limits = new ConversionLimits();
        var opened = ConversionStore.Open(store);
        var conversion = new IndexConversion(
            options with { Limits = limits },
            await OpenAsync(push, registry, cancellationToken),
            (chosen, pushed) => new ImageConversion(opened, backend, chosen, logger, pushed));
        return await ShowAsync(() => conversion.Layers, conversion.RunAsync(() => image.Open(registry), cancellationToken), log);
    });

    private static async Task<PushOptions?> OpenAsync(
        (ImageReference Target, PushSettings Settings)? push, RegistryClient registry, CancellationToken cancellationToken) =>
        push is var (target, settings) ? await settings.ToAsync(registry, target, cancellationToken) : null;

    /// <summary>As <see cref="RunAsync"/>, into containerd.</summary>
    private static Task<ContainerdResult> RunIntoAsync(
        ImageLocation image,
        IntoContainerd into,
        Func<RegistryClient, TakingConverted?> taking,
        string backend,
        ConversionOptions options,
        RegistryOptions registryOptions,
        LogSettings log,
        CancellationToken cancellationToken) => WithRegistryAsync(registryOptions, log, "convert", async (registry, logger) =>
    {
        using var target = await into.OpenAsync(backend, logger, cancellationToken);
        var conversion = new ContainerdConversion(target, options, logger) { Taking = taking(registry) };
        return await ShowAsync(() => conversion.Layers, conversion.RunAsync(image.Open(registry), cancellationToken), log);
    });

    /// <summary>Opens the log, telemetry and the registry client of a command for its time.</summary>
    internal static async Task<T> WithRegistryAsync<T>(RegistryOptions options, LogSettings log, string name, Func<RegistryClient, ILogger, Task<T>> convert)
    {
        using var loggers = CommonOptions.CreateLoggers(log);
        using var telemetry = Telemetry.Start();
        using var registry = RegistryClientFactory.Create(options, loggers);
        return await convert(registry, loggers.CreateLogger(name));
    }

    /// <summary>Shows progress on a terminal while an image is converted.</summary>
    internal static Task<T> ShowAsync<T>(Func<IReadOnlyList<LayerPlan>> layers, Task<T> running, LogSettings log) =>
        log.IsLive ? new LiveProgress().ShowAsync(running, layers) : running;

    private static ImageReference ParseTagged(string text) => ImageReference.Parse(text) is { Digest: null } reference
        ? reference
        : throw new InvalidDataException($"--push takes a tag, not a digest, which is known only after the conversion: '{text}'");
}
