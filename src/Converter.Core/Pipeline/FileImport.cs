using Converter.Core.Compression;
using Converter.Core.Imaging;
using Converter.Core.Layers;
using Converter.Core.Oci;
using Microsoft.Extensions.Logging;

namespace Converter.Core.Pipeline;

/// <summary>A layer tar on disk, compressed or not, made into a block file: what the importer does for one layer, without a registry.</summary>
public sealed class FileImport(IImageBackend backend, ImageOptions options, ILogger logger)
{
    private const string StagingSuffix = ".staging";
    private const string HivesFolder = "Hives";
    private const int BufferSize = 256 * 1024;
    private const int BuffersAhead = 8;
    private const int MagicSize = 4;

    /// <param name="layerTar">Path of the tar; its compression is told by its first bytes.</param>
    /// <param name="blockFile">What to make; nothing may have the name yet.</param>
    /// <param name="cimName">Name of the CIM in it.</param>
    /// <param name="isBase">Whether the layer has no parents.</param>
    /// <param name="cancellation">Stops, and leaves nothing behind.</param>
    public async Task<(LayerImportResult Import, CommittedImage Image)> RunAsync(
        string layerTar, string blockFile, string cimName, bool isBase, CancellationToken cancellation)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(blockFile))!;
        Directory.CreateDirectory(folder);
        var staging = blockFile + StagingSuffix;
        using var image = backend.Create(blockFile, cimName, options);
        try
        {
            RemoveFolder(staging);
            Directory.CreateDirectory(staging);
            var importOptions = new LayerImportOptions { IsBase = isBase, LayerFolder = staging, Logger = logger };
            var result = await ReadAsync(layerTar, (tar, token) => LayerImport.Run(tar, image, importOptions, token), cancellation);

            // The hives are in place before the image gets its name: an image that is there has them.
            var hives = MoveHives(Path.Combine(staging, HivesFolder), Path.Combine(folder, HivesFolder));
            try
            {
                return (result, image.Commit(cancellation));
            }
            catch
            {
                hives.ForEach(File.Delete);
                throw;
            }
        }
        finally
        {
            RemoveFolder(staging);
        }
    }

    /// <summary>Decompresses on one thread and imports on another.</summary>
    private static async Task<LayerImportResult> ReadAsync(
        string layerTar, Func<Stream, CancellationToken, LayerImportResult> import, CancellationToken cancellation)
    {
        await using var file = new FileStream(layerTar, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, FileOptions.SequentialScan);
        var magic = new byte[MagicSize];
        var compression = Decompression.Detect(magic.AsSpan(0, await file.ReadAtLeastAsync(magic, MagicSize, throwOnEndOfStream: false, cancellation)));
        file.Position = 0;
        if (compression == LayerCompression.None)
        {
            return import(file, cancellation);
        }

        using var tar = new BufferChannel(BufferSize, BuffersAhead);
        using var stages = new StageGroup(cancellation);
        LayerImportResult? result = null;
        stages.StartThread(() =>
        {
            try
            {
                Decompression.Read(
                    file, compression, stream => tar.PumpAsync(stream, static _ => { }, stages.Cancellation).GetAwaiter().GetResult());
            }
            catch (Exception e)
            {
                tar.Fail(e);
                throw;
            }
        });
        stages.StartThread(() =>
        {
            try
            {
                result = import(tar.Reader, stages.Cancellation);
            }
            catch
            {
                tar.Abandon();
                throw;
            }
        });
        await stages.CompleteAsync();
        return result!;
    }

    private static List<string> MoveHives(string from, string to)
    {
        var moved = new List<string>();
        if (Directory.Exists(from))
        {
            Directory.CreateDirectory(to);
            foreach (var file in Directory.EnumerateFiles(from).Order(StringComparer.Ordinal))
            {
                var target = Path.Combine(to, Path.GetFileName(file));
                File.Move(file, target, overwrite: true);
                moved.Add(target);
            }
        }

        return moved;
    }

    private static void RemoveFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
