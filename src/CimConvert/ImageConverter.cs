using CimConvert.Cims;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Prewarming;
using CimConvert.Registry;
using CimConvert.Registry.Auth;
using CimConvert.Registry.Pull;
using CimConvert.Registry.Push;
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
            options.Push is { } push ? await _registry.PusherToAsync(ImageReference.Parse(push), cancellationToken) : null);
        var running = conversion.RunAsync(source, cancellationToken);
        await ReportAsync(running, () => conversion.Layers, progress);
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
