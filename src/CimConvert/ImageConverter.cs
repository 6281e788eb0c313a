using CimConvert.Cims;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Prewarming;
using CimConvert.Publishing;
using CimConvert.Registry;
using CimConvert.Registry.Auth;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CimConvert;

/// <summary>
/// Whole images: pulls them, converts every layer into a CIM, merges the chain, and leaves all of it in a store (docs/store.md).
/// One converter serves any number of conversions, also at the same time. Several processes may use one store.
/// </summary>
public sealed class ImageConverter : IDisposable
{
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromMilliseconds(200);

    private readonly ImageConverterOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly RegistryOptions _registryOptions;
    private readonly RegistryClient _registry;

    /// <param name="options">How registries are reached, and who is told what is done; null for the defaults.</param>
    /// <exception cref="InvalidDataException">Docker's configuration, where logins come from, cannot be read.</exception>
    public ImageConverter(ImageConverterOptions? options = null)
    {
        _options = options ?? new ImageConverterOptions();
        _loggers = _options.Loggers ?? NullLoggerFactory.Instance;
        _registryOptions = new RegistryOptions
        {
            PlainHttp = _options.PlainHttp,
            HostsFolders = _options.HostsFolders,
            CertificateFolder = _options.CertificateFolder,
            Credentials = _options.UsesDockerLogins ? DockerConfigCredentials.Load(DockerConfigCredentials.DefaultPath) : null,
        };
        _registry = RegistryClientFactory.Create(_registryOptions, _loggers);
    }

    /// <summary>Converts one image into a store. Layers that are there already are not made again.</summary>
    /// <param name="image">A reference (<c>registry/repository:tag</c>), <c>oci:DIR[:NAME]</c> or <c>docker-archive:FILE[:NAME]</c>.</param>
    /// <param name="store">The store's folder; made where it is missing.</param>
    /// <param name="options">How; null for block CIMs for amd64, and the version of Windows that is the default.</param>
    /// <param name="progress">Told five times a second how far the layers are, and once more at the end.</param>
    /// <param name="cancellationToken">Stops; what is finished stays in the store.</param>
    /// <exception cref="ConversionException">The image cannot be converted; the message is one line that names it, the layer and what is wrong.</exception>
    /// <exception cref="InvalidDataException">The reference or the platform is none.</exception>
    public async Task<ConvertedImage> ConvertAsync(
        string image,
        string store,
        ImageConversionOptions? options = null,
        IProgress<IReadOnlyList<LayerStatus>>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new ImageConversionOptions();
        var source = ImageLocation.Parse(image).Open(_registry);
        var block = new BlockCimOptions(options.LayerIntegrity, options.VhdFooter);
        var backendName = CimBackends.NameOf(options.Backend);
        var backend = options.Forked ? CimBackends.SelectForking(backendName) : CimBackends.Select(backendName, block);
        var conversion = new ImageConversion(
            ConversionStore.Open(store),
            backend,
            new ConversionOptions
            {
                Platform = Platform.Parse(options.Platform),
                OsVersion = options.OsVersion,
                HostVersion = HostVersion.OfThisWindows,
                Forked = options.Forked,
                Block = block,
                Hives = HiveMergers.For(backend),
                Input = options.Limits,
                Concurrency = options.Concurrency ?? ConversionOptions.DefaultConcurrency,
                WithSubject = options.Subject,
            },
            _loggers.CreateLogger<ImageConverter>(),
            options.Push is { } push ? await PushSettings.Default.ToAsync(_registry, ImageReference.Parse(push), cancellationToken) : null);
        var running = conversion.RunAsync(source, cancellationToken);
        await ReportAsync(running, () => conversion.Layers, progress);
        return ConvertedImage.Of(await running);
    }

    /// <summary>
    /// Takes an image that was converted before from a registry into a store, which is then as <see cref="ConvertAsync"/> would have made it
    /// (docs/trust.md says what is checked).
    /// </summary>
    /// <param name="image">The converted image, or its source: a reference, or <c>oci:DIR[:NAME]</c>.</param>
    /// <param name="store">The store's folder; made where it is missing.</param>
    /// <param name="options">The form that is wanted, and where to look; null for block CIMs of the highest version of Windows on amd64.</param>
    /// <param name="progress">Told five times a second how far the files are, and once more at the end.</param>
    /// <param name="cancellationToken">Stops; what is finished stays in the store.</param>
    /// <exception cref="ConversionException">There is no such converted image, or it cannot be taken; the message is one line.</exception>
    /// <exception cref="InvalidDataException">The reference, the pattern or the platform is none.</exception>
    public async Task<ConvertedImage> PullAsync(
        string image,
        string store,
        ImagePullOptions? options = null,
        IProgress<IReadOnlyList<LayerStatus>>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new ImagePullOptions();
        var location = ImageLocation.Parse(image);
        var logger = _loggers.CreateLogger<ImageConverter>();
        var block = new BlockCimOptions(options.LayerIntegrity, options.VhdFooter);
        var backend = CimBackends.NameFor(CimBackends.NameOf(options.Backend), block, options.Forked);
        var conversion = new ConversionOptions
        {
            Platform = Platform.Parse(options.Platform),
            OsVersion = options.OsVersion,
            HostVersion = HostVersion.OfThisWindows,
            Forked = options.Forked,
            Block = block,
            Input = options.Limits,
            Concurrency = options.Concurrency ?? ConversionOptions.DefaultConcurrency,
        };
        var finder = new ConversionFinder(
            _registry,
            ConvertedForm.Of(backend, options.Forked, block),
            conversion,
            options.From is { } from ? new NameTemplate(from).For(location) : null,
            options.VerifiesSource,
            logger);
        var pull = new ImagePull(ConversionStore.Open(store), backend, finder, conversion, logger);
        var running = pull.RunAsync(location.Open(_registry), cancellationToken);
        await ReportAsync(running, () => pull.Layers, progress);
        return ConvertedImage.Of(await running);
    }

    /// <summary>Converts the images of a list, several at once (docs/prewarm.md).</summary>
    /// <param name="listFile">The YAML list.</param>
    /// <param name="store">The store's folder; null for the one that the list names, or the containerd.</param>
    /// <param name="progress">Told five times a second how far the layers that are being converted are.</param>
    /// <param name="cancellationToken">Stops; what is finished stays in the store.</param>
    /// <returns>What became of each image, in the list's order. An image that fails is no exception.</returns>
    /// <exception cref="ConversionException">The list is not one; the message says where.</exception>
    public async Task<IReadOnlyList<PrewarmedImage>> PrewarmAsync(
        string listFile,
        string? store = null,
        IProgress<IReadOnlyList<LayerStatus>>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var list = PrewarmListReader.Read(listFile, store, hostVersion: HostVersion.OfThisWindows);
        var logger = _loggers.CreateLogger<ImageConverter>();
        using var destination = await PrewarmDestinations.OpenAsync(list, _registry, logger, cancellationToken);
        using var run = new PrewarmRun(list, _registry, destination, _registryOptions, logger);
        var running = run.RunAsync(cancellationToken);
        await ReportAsync(running, () => run.Layers, progress);
        return [.. (await running).Images.Select(PrewarmedImage.Of)];
    }

    /// <summary>Closes the connections to registries.</summary>
    public void Dispose() => _registry.Dispose();

    private static async Task ReportAsync(Task running, Func<IReadOnlyList<LayerPlan>> layers, IProgress<IReadOnlyList<LayerStatus>>? progress)
    {
        if (progress is null)
        {
            return;
        }

        do
        {
            await Task.WhenAny(running, Task.Delay(s_progressInterval));
            progress.Report([.. layers().Select(LayerStatus.Of)]);
        }
        while (!running.IsCompleted);
    }
}
