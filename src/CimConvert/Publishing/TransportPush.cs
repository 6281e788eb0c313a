using System.Globalization;
using CimConvert.Compression;
using CimConvert.Oci;
using CimConvert.Plumbing;
using CimConvert.Registry.Push;
using CimConvert.Store;

namespace CimConvert.Publishing;

/// <summary>
/// Pushes one file of a converted image, compressed if that pays. The compressed file lies in the store's <c>ingest/</c> while it is sent.
/// What it became is recorded, so that the next push of the layer asks the registry first.
/// </summary>
internal sealed class TransportPush(ConversionStore store, RegistryPusher target, TransportCompression compression)
{
    /// <summary>Compressed files must be at most so many tenths of the file: else the time to unpack them is not worth it.</summary>
    private const int MaxTenths = 9;

    private const string FileName = "compressed";

    /// <param name="file">The file's entry in the store's manifest.</param>
    /// <param name="layer">The layer that the file is of.</param>
    /// <param name="cancellationToken">Cancels compressing and sending.</param>
    /// <returns>The file's entry in the pushed manifest, and what was done.</returns>
    public async Task<(Descriptor Entry, PushOutcome Outcome)> RunAsync(Descriptor file, ChainId layer, CancellationToken cancellationToken)
    {
        if (compression.Kind == LayerCompression.None)
        {
            return (file, await target.PushBlobAsync(new PushedBlob(file.Digest, file.Size, store.BlobPath(file.Digest)), cancellationToken));
        }

        var records = new TransportRecords(store, layer);
        if (await FindAsync(file, records, cancellationToken) is { } known)
        {
            return (EntryOf(file, known), PushOutcome.Skipped);
        }

        using var folder = await store.Ingest.ClaimAsync($"push-{file.Digest.Hex}", cancellationToken);
        if (await FindAsync(file, records, cancellationToken) is { } sent)
        {
            return (EntryOf(file, sent), PushOutcome.Skipped);
        }

        var path = Path.Combine(folder.Path, FileName);
        var record = records.Find(file.Digest, compression.ToString()) is { Compressed: false } plain ? plain : await CompressAsync(file, path, cancellationToken);
        await records.AddAsync(record, cancellationToken);
        var blob = new PushedBlob(record.Digest, record.Size, record.Compressed ? path : store.BlobPath(file.Digest));
        return (EntryOf(file, record), await target.PushBlobAsync(blob, cancellationToken));
    }

    /// <returns>What the file was compressed to, if that is known and the repository has it.</returns>
    private async Task<TransportRecord?> FindAsync(Descriptor file, TransportRecords records, CancellationToken cancellationToken) =>
        records.Find(file.Digest, compression.ToString()) is { } known && await target.HasBlobAsync(known.Digest, known.Size, cancellationToken) ? known : null;

    /// <summary>The entry of a file that was sent compressed.</summary>
    /// <param name="file">The file's entry in the store's manifest.</param>
    /// <param name="sent">What was sent, of which media type, digest and size count.</param>
    public static Descriptor EntryOf(Descriptor file, Descriptor sent) => Descriptor.Of(sent.MediaType, sent.Digest, sent.Size) with
    {
        Annotations = new OrderedDictionary<string, string>(file.Annotations!)
        {
            [ConvertedAnnotations.ContentDigest] = file.Digest.ToString(),
            [ConvertedAnnotations.ContentSize] = file.Size.ToString(CultureInfo.InvariantCulture),
            [ConvertedAnnotations.Title] = file.Annotations![ConvertedAnnotations.Title] + ConvertedAnnotations.TitleSuffix(MediaTypes.SplitTransport(sent.MediaType).Compression),
        },
    };

    private async Task<TransportRecord> CompressAsync(Descriptor file, string path, CancellationToken cancellationToken)
    {
        var digest = await OwnThread.RunAsync(() =>
        {
            using (var from = new FileStream(store.BlobPath(file.Digest), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan))
            using (var to = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                using var content = new DigestCheck($"'{from.Name}' of the store", file.Digest, file.Size);
                compression.Compress(from, to, content, cancellationToken);
            }

            return StoredLayer.DigestOf(path, cancellationToken);
        });
        var size = new FileInfo(path).Length;
        return size <= file.Size / 10 * MaxTenths
            ? new TransportRecord(file.Digest, compression.ToString(), Compressed: true, digest, size)
            : new TransportRecord(file.Digest, compression.ToString(), Compressed: false, file.Digest, file.Size);
    }

    private Descriptor EntryOf(Descriptor file, TransportRecord record) => record.Compressed
        ? EntryOf(file, Descriptor.Of(MediaTypes.ForTransport(file.MediaType, compression.Kind), record.Digest, record.Size))
        : file;
}
