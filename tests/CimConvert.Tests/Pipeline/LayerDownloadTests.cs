using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using CimConvert.Store;
using CimConvert.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

public class LayerDownloadTests
{
    private static readonly Digest s_digest = Digest.Compute([]);

    /// <summary>Whoever is being written may need the last place among the downloads: held by one that waits to be written, both would for ever.</summary>
    [Test]
    public async Task A_layer_too_small_to_fetch_ahead_leaves_the_downloads_to_others_while_it_waits()
    {
        using var folder = new TempFolder();
        using var limits = new ConversionLimits(downloads: 1, imports: 1);
        var written = await limits.EnterImportAsync(default);
        using var small = new LayerDownload(new Unread(), ConversionStore.Open(folder.Path), Plan(size: 1000), limits, NullLogger.Instance);
        var waiting = small.WaitForImportAsync(default);

        var place = limits.EnterDownloadAsync(default).AsTask();
        Assert.That(place.IsCompletedSuccessfully, Is.True);
        (await place)!.Dispose();
        Assert.That(waiting.IsCompleted, Is.False);
        written!.Dispose();
        (await waiting)!.Dispose();
    }

    [Test]
    public async Task A_layer_that_gives_up_waiting_gives_its_turn_to_others()
    {
        using var folder = new TempFolder();
        using var limits = new ConversionLimits(downloads: 1, imports: 1);
        using var cancel = new CancellationTokenSource();
        var written = await limits.EnterImportAsync(default);
        using var small = new LayerDownload(new Unread(), ConversionStore.Open(folder.Path), Plan(size: 1000), limits, NullLogger.Instance);
        var waiting = small.WaitForImportAsync(cancel.Token);

        await cancel.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        written!.Dispose();
        (await limits.EnterImportAsync(default).AsTask().WaitAsync(TimeSpan.FromMinutes(1)))!.Dispose();
    }

    private static LayerPlan Plan(long size) => new(
        0, 1, new Descriptor { MediaType = MediaTypes.OciLayer, Digest = s_digest, Size = size }, LayerCompression.None, new DiffId(s_digest), new ChainId(s_digest), []);

    /// <summary>A registry that nothing is asked of.</summary>
    private sealed class Unread : IImageSource
    {
        public string Name => "unread";

        public long BytesDownloaded => 0;

        public int Retries => 0;

        public bool IsRemote => true;

        public Task<FetchedManifest> GetManifestAsync(Descriptor? expected, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) => throw new InvalidOperationException();
    }
}
