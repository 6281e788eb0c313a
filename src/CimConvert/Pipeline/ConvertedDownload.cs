using CimConvert.Formats.Binary;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.Storage;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Downloads a file of a converted image into a folder: resumes what is there, decompresses, and verifies both digests.</summary>
internal static class ConvertedDownload
{
    /// <param name="file">What the manifest says of it.</param>
    /// <param name="plan">Where it is, and how far it is.</param>
    /// <param name="folder">Gets the file, under its name; the folder's own content is not trusted by anybody until it is published.</param>
    /// <param name="source">Where the blob is.</param>
    /// <param name="ingest">Keeps what is downloaded.</param>
    /// <param name="options">Limits.</param>
    /// <param name="logger">Told what an earlier run downloaded.</param>
    /// <param name="cancellationToken">Stops; what was downloaded stays.</param>
    /// <returns>The download, whose file is kept until it is finished.</returns>
    /// <exception cref="InvalidDataException">The blob or the file has other content than the manifest says.</exception>
    public static async Task<LayerDownload> RunAsync(
        ConvertedFile file,
        LayerPlan plan,
        string folder,
        IImageSource source,
        IngestArea ingest,
        ConversionOptions options,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        var download = new LayerDownload(source, ingest, plan, options.Limits, logger);
        try
        {
            using var slot = await download.WaitForImportAsync(cancellationToken);
            await WriteAsync(file, plan, folder, download, options, cancellationToken);
            return download;
        }
        catch
        {
            download.Dispose();
            throw;
        }
    }

    /// <summary>Writes the file, under its name in a folder, from a download that has begun; only a file that is right gets its name.</summary>
    public static async Task WriteAsync(
        ConvertedFile file, LayerPlan plan, string folder, LayerDownload download, ConversionOptions options, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, file.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        plan.Progress.Stage = LayerStage.Importing;
        try
        {
            await WriteOnceAsync(file, plan, path, download, options, cancellationToken);
        }
        catch (InvalidDataException e) when (download.TryStartOver(e))
        {
            plan.Progress.Restart();
            await WriteOnceAsync(file, plan, path, download, options, cancellationToken);
        }
    }

    private static async Task WriteOnceAsync(
        ConvertedFile file, LayerPlan plan, string path, LayerDownload download, ConversionOptions options, CancellationToken cancellationToken)
    {
        var check = new DigestCheck("its content", file.Digest, file.Size);
        await using var content = new LayerTar(plan, download, check, options.Input, options.Limits.Disk, cancellationToken);
        await content.ReadToEndAsync((stream, token) =>
        {
            AtomicFile.Write(path, target => Copy((ISliceSource)stream, target, token));
            return true;
        });
        download.ReleaseSlot();
    }

    private static void Copy(ISliceSource content, Stream target, CancellationToken cancellationToken)
    {
        while (content.Next() is { IsEmpty: false } slice)
        {
            cancellationToken.ThrowIfCancellationRequested();
            target.Write(slice.Span);
        }
    }
}
