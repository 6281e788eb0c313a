using CimConvert.Formats.Binary;
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
        using var small = new LayerDownload(new Unread(), IngestArea.In(folder.Path).Open(), Plan(size: 1000), limits, NullLogger.Instance);
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
        using var small = new LayerDownload(new Unread(), IngestArea.In(folder.Path).Open(), Plan(size: 1000), limits, NullLogger.Instance);
        var waiting = small.WaitForImportAsync(cancel.Token);

        await cancel.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        written!.Dispose();
        (await limits.EnterImportAsync(default).AsTask().WaitAsync(TimeSpan.FromMinutes(1)))!.Dispose();
    }

    /// <summary>A registry counts requests: the turn that comes in the middle of a download costs none.</summary>
    [Test]
    public async Task An_import_reads_on_where_the_download_ahead_is()
    {
        using var folder = new TempFolder();
        using var limits = new ConversionLimits(downloads: 1, imports: 1);
        var content = SeededContent.Bytes(1, 5 << 20);
        var source = new Halting(content, haltAt: 3 << 20);
        var imported = await limits.EnterImportAsync(default);
        using var download = new LayerDownload(source, IngestArea.In(folder.Path).Open(), Plan(content.Length), limits, NullLogger.Instance);
        var waiting = download.WaitForImportAsync(default);
        await source.Halted;
        imported!.Dispose();
        source.Resume();
        using var slot = await waiting;

        await using var blob = await download.OpenAsync(default);
        using var read = new MemoryStream();
        await blob.CopyToAsync(read);
        using (Assert.EnterMultipleScope())
        {
            ByteAssert.Equal(content, read.ToArray());
            Assert.That(source.Opened, Is.EqualTo(new[] { 0L }));
        }
    }

    [TestCase(1L, 2L << 20, 0L, TestName = "A_kept_blob_is_read_from_its_start")]
    [TestCase(long.MaxValue, 2L << 20, 2L << 20, TestName = "A_blob_that_is_not_kept_is_opened_where_it_is_needed")]
    public async Task A_blob_is_opened_behind_what_somebody_has(long smallestKept, long offset, long opened)
    {
        using var folder = new TempFolder();
        using var limits = new ConversionLimits();
        var content = SeededContent.Bytes(1, 5 << 20);
        var source = new Halting(content, haltAt: int.MaxValue);
        using var download = new LayerDownload(source, IngestArea.In(folder.Path).Open(), Plan(content.Length), limits, NullLogger.Instance, smallestKept);
        (await download.WaitForImportAsync(default))?.Dispose();
        await using var blob = await download.OpenBehindAsync(offset, default);
        using var read = new MemoryStream();
        await blob.CopyToAsync(read);
        ByteAssert.Equal(content.AsSpan((int)offset).ToArray(), read.ToArray());
        Assert.That(source.Opened, Is.EqualTo(new[] { opened }));
    }

    private static LayerPlan Plan(long size) => new(
        0, 1, new Descriptor { MediaType = MediaTypes.OciLayer, Digest = s_digest, Size = size }, LayerCompression.None, new DiffId(s_digest), new ChainId(s_digest), []);

    /// <summary>A registry that nothing is asked of.</summary>
    private class Unread : IImageSource
    {
        public string Name => "unread";

        public long BytesDownloaded => 0;

        public int Retries => 0;

        public bool IsRemote => true;

        public Task<FetchedManifest> GetManifestAsync(Descriptor? expected, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public virtual Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) => throw new InvalidOperationException();
    }

    /// <summary>A registry whose blob halts on its way until <see cref="Resume"/>.</summary>
    private sealed class Halting(byte[] content, int haltAt) : Unread
    {
        private readonly TaskCompletionSource _halted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The offsets that the blob was opened at.</summary>
        public List<long> Opened { get; } = [];

        public Task Halted => _halted.Task;

        private byte[] Content => content;

        private int HaltAt => haltAt;

        public void Resume() => _resumed.SetResult();

        public override Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
        {
            Opened.Add(offset);
            return Task.FromResult<Stream>(new Body(this, offset));
        }

        private sealed class Body(Halting source, long offset) : ForwardStream
        {
            private readonly MemoryStream _content = new(source.Content[(int)offset..]);

            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                if (offset + _content.Position >= source.HaltAt)
                {
                    source._halted.TrySetResult();
                    await source._resumed.Task.WaitAsync(cancellationToken);
                }

                return await _content.ReadAsync(buffer, cancellationToken);
            }

            public override int Read(Span<byte> buffer) => _content.Read(buffer);
        }
    }
}
