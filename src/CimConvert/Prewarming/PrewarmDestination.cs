using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Registry.Pull;
using CimConvert.Registry.Push;
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
}

/// <summary>A store, from which images may also be pushed.</summary>
/// <param name="store">Gets the converted images.</param>
/// <param name="registry">Where they are pushed to.</param>
/// <param name="skipPushed">Whether an image that the registry has already is skipped.</param>
/// <param name="logger">Logs every step.</param>
internal sealed class StoreDestination(ConversionStore store, RegistryClient registry, bool skipPushed, ILogger logger) : IPrewarmDestination
{
    public DiskBudget Limit(PrewarmDisk disk) => new(store.Root, disk.MinFree, disk.MaxStore, store.SizeOnDisk);

    public async Task<IImageConversion?> PrepareAsync(
        PrewarmImage image, IImageSource source, ConversionOptions options, CancellationToken cancellationToken)
    {
        var how = new BlockCimOptions(image.Integrity, image.VhdFooter);
        var backend = CimBackends.Select(image.Backend, how);
        if (skipPushed && image.Push is { } pushed && await IsPushedAsync(image, pushed, source, options, backend.Name, how, cancellationToken))
        {
            logger.LogInformation("{Image}: {Target} is its conversion already", source.Name, pushed);
            return null;
        }

        var target = image.Push is { } push ? await registry.PusherToAsync(push, cancellationToken) : null;
        return new ImageConversion(
            store, backend, options with { Block = how, Hives = HiveMergers.For(backend), WithSubject = image.Subject }, logger, target);
    }

    public void Dispose()
    {
    }

    private async Task<bool> IsPushedAsync(
        PrewarmImage image,
        ImageReference target,
        IImageSource source,
        ConversionOptions options,
        string backend,
        BlockCimOptions how,
        CancellationToken cancellationToken)
    {
        var resolved = await options.ResolveAsync(source, cancellationToken);
        return await new PushedImage(registry, target)
            .IsConversionOfAsync(resolved.ManifestDescriptor.Digest, backend, how, image.Subject, cancellationToken);
    }
}

/// <summary>The containerd of this node.</summary>
internal sealed class ContainerdDestination(ContainerdTarget target, ILogger logger) : IPrewarmDestination
{
    public DiskBudget Limit(PrewarmDisk disk) => new(target.Ingest.Root, disk.MinFree, maxStore: null, () => 0);

    public Task<IImageConversion?> PrepareAsync(
        PrewarmImage image, IImageSource source, ConversionOptions options, CancellationToken cancellationToken) =>
        Task.FromResult<IImageConversion?>(new ContainerdConversion(target, options, logger));

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
            return new StoreDestination(ConversionStore.Open(list.Store!), registry, list.SkipPushed, logger);
        }

        // The list has one back end for all its images.
        var target = await into.OpenAsync(list.Images.Count == 0 ? CimBackends.Auto : list.Images[0].Backend, logger, cancellationToken);
        if (target.Snapshotter == SnapshotterChoice.CimFs && list.Concurrency.Imports > 1)
        {
            logger.LogWarning(
                "{Imports} layers are written at once: the driver of cimfs has crashed machines that handled many CIMs (hcsshim issue 2625)", list.Concurrency.Imports);
        }

        return new ContainerdDestination(target, logger);
    }
}
