using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using CimConvert.Storage;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Prewarming;

/// <summary>Where the images of a list go.</summary>
internal interface IPrewarmDestination : IDisposable
{
    /// <summary>Limits what the run writes.</summary>
    DiskBudget Limit(PrewarmDisk disk);

    /// <summary>Prepares the conversion of an image; null if the image is ready without one.</summary>
    /// <param name="image">The image in the list.</param>
    /// <param name="source">Where it is read from.</param>
    /// <param name="options">What holds for every destination.</param>
    /// <param name="cancellationToken">Cancels requests.</param>
    Task<IImageConversion?> PrepareAsync(PrewarmImage image, IImageSource source, ConversionOptions options, CancellationToken cancellationToken);

    /// <summary>Pushes the index of the versions of an image, which were pushed before.</summary>
    /// <param name="image">The image in the list, which is to be pushed.</param>
    /// <param name="versions">The versions, in the order of the index.</param>
    /// <param name="cancellationToken">Cancels requests.</param>
    Task PushIndexAsync(PrewarmImage image, IReadOnlyList<ConversionSummary> versions, CancellationToken cancellationToken);
}

/// <summary>A store, from which images may also be pushed.</summary>
/// <param name="store">Gets the converted images.</param>
/// <param name="registry">Where they are pushed to, and converted ones taken from.</param>
/// <param name="list">The list.</param>
/// <param name="logger">Logs every step.</param>
internal sealed class StoreDestination(ConversionStore store, RegistryClient registry, PrewarmList list, ILogger logger) : IPrewarmDestination
{
    public DiskBudget Limit(PrewarmDisk disk) => new(store.Root, disk.MinFree, disk.MaxStore, store.SizeOnDisk);

    public async Task<IImageConversion?> PrepareAsync(
        PrewarmImage image, IImageSource source, ConversionOptions options, CancellationToken cancellationToken)
    {
        var how = new BlockCimOptions(image.Integrity, image.VhdFooter);
        var form = ConvertedForm.Of(CimBackends.NameFor(image.Backend, how, forked: false), forked: false, how);
        if (list.SkipPushed && !image.IsOfIndex && image.Push is { } pushed && await IsPushedAsync(image, pushed, source, options, form, cancellationToken))
        {
            logger.LogInformation("{Image}: {Target} is its conversion already", source.Name, pushed);
            return null;
        }

        var push = image.Push is { } name ? await list.PushSettings.ToAsync(registry, name, cancellationToken) : null;
        push = push is null ? null : push with { IsTagged = !image.IsOfIndex };
        options = options with { Block = how, WithSubject = image.Subject };
        if (image.Converted == ConvertedPreference.Only)
        {
            return new ImagePull(store, form.Backend, Finder(image, form, options), options, logger, otherwise: null, push, image.Subject);
        }

        var backend = CimBackends.Select(image.Backend, how);
        options = options with { Hives = HiveMergers.For(backend) };
        var conversion = new ImageConversion(store, backend, options, logger, push);
        return image.Converted == ConvertedPreference.None
            ? conversion
            : new ImagePull(store, form.Backend, Finder(image, form, options), options, logger, conversion, push, image.Subject);
    }

    public void Dispose()
    {
    }

    public async Task PushIndexAsync(PrewarmImage image, IReadOnlyList<ConversionSummary> versions, CancellationToken cancellationToken)
    {
        var push = await list.PushSettings.ToAsync(registry, image.Push!, cancellationToken);
        var index = await IndexPush.RunAsync(push, [.. versions.Cast<ConversionResult>().Select(version => (version.Pushed!, version.Image))], cancellationToken);
        logger.LogInformation("{Image}: pushed to {Target} as index {Digest}", image.Location, index.Reference, index.Digest);
    }

    private ConversionFinder Finder(PrewarmImage image, ConvertedForm form, ConversionOptions options) =>
        new(registry, form, options, image.From, verifySource: false, logger);

    private async Task<bool> IsPushedAsync(
        PrewarmImage image, ImageReference target, IImageSource source, ConversionOptions options, ConvertedForm form, CancellationToken cancellationToken)
    {
        var resolved = await options.ResolveAsync(source, cancellationToken);
        return await new PushedImage(registry, target).IsConversionOfAsync(resolved.ManifestDescriptor.Digest, form, image.Subject, cancellationToken);
    }
}

/// <summary>The containerd of this node.</summary>
/// <param name="target">Gets the images.</param>
/// <param name="registry">Where converted ones are taken from.</param>
/// <param name="logger">Logs every step.</param>
internal sealed class ContainerdDestination(ContainerdTarget target, RegistryClient registry, ILogger logger) : IPrewarmDestination
{
    public DiskBudget Limit(PrewarmDisk disk) => new(target.Ingest.Root, disk.MinFree, maxStore: null, () => 0);

    public Task<IImageConversion?> PrepareAsync(
        PrewarmImage image, IImageSource source, ConversionOptions options, CancellationToken cancellationToken) =>
        Task.FromResult<IImageConversion?>(new ContainerdConversion(target, options, logger)
        {
            Taking = image.Converted == ConvertedPreference.None
                ? null
                : new TakingConverted(registry, image.From, IsRequired: image.Converted == ConvertedPreference.Only),
        });

    public Task PushIndexAsync(PrewarmImage image, IReadOnlyList<ConversionSummary> versions, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("images that go into containerd are not pushed");

    public void Dispose() => target.Dispose();
}

/// <summary>Opens the place that a list names.</summary>
internal static class PrewarmDestinations
{
    /// <exception cref="ConversionException">The store or the daemon cannot be used; the message says why.</exception>
    public static async Task<IPrewarmDestination> OpenAsync(PrewarmList list, RegistryClient registry, ILogger logger, CancellationToken cancellationToken)
    {
        if (list.Into is not { } into)
        {
            await PushTargets.CheckAsync(list, registry, cancellationToken);
            return new StoreDestination(ConversionStore.Open(list.Store!), registry, list, logger);
        }

        // The list has one back end for all its images.
        var target = await into.OpenAsync(list.Images.Count == 0 ? CimBackends.Auto : list.Images[0].Backend, logger, cancellationToken);
        if (target.Snapshotter == SnapshotterChoice.CimFs && list.Concurrency.Imports > 1)
        {
            logger.LogWarning(
                "{Imports} layers are written at once: the driver of cimfs has crashed machines that handled many CIMs (hcsshim issue 2625)", list.Concurrency.Imports);
        }

        return new ContainerdDestination(target, registry, logger);
    }
}
