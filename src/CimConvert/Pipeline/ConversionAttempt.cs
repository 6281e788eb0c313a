using CimConvert.Containerd;
using CimConvert.Registry.Http;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Converts one image, wherever to.</summary>
internal interface IImageConversion
{
    /// <summary>The layers being converted, with their progress; empty until the manifest is resolved.</summary>
    IReadOnlyList<LayerPlan> Layers { get; }

    /// <exception cref="ConversionException">The image cannot be converted; the message names the image and the cause.</exception>
    Task<ConversionSummary> RunAsync(IImageSource source, CancellationToken cancellationToken);
}

/// <summary>What goes around the steps of every conversion: metrics, the image's name in failures, and the end of partial downloads.</summary>
internal static class ConversionAttempt
{
    /// <param name="conversion">Whose partial downloads are removed.</param>
    /// <param name="source">Where the image comes from.</param>
    /// <param name="name">The image in messages of failures.</param>
    /// <param name="ingest">Where the partial downloads are.</param>
    /// <param name="logger">Gets the image's name as a field of all log lines.</param>
    /// <param name="convert">The steps.</param>
    public static async Task<T> RunAsync<T>(
        IImageConversion conversion, IImageSource source, string name, IngestArea ingest, ILogger logger, Func<Task<T>> convert)
        where T : ConversionSummary
    {
        using var scope = logger.With(LogFields.Image, source.Name);
        try
        {
            var result = await convert();
            foreach (var (stage, milliseconds) in result.Timings.Stages)
            {
                Instruments.StageDuration.Record(milliseconds / 1000.0, Instruments.Stage(stage));
            }

            Instruments.Images.Add(1, Instruments.Result("converted"));
            return result;
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            Instruments.Images.Add(1, Instruments.Result("failed"));
            RemoveDownloads(conversion, ingest, e);
            throw Failures.Of(name, e);
        }
        catch (OperationCanceledException e)
        {
            RemoveDownloads(conversion, ingest, e);
            throw;
        }
    }

    /// <summary>Whether another attempt at the whole image may succeed: a registry or containerd failed, and not for good.</summary>
    public static bool MayBeRepeated(Exception failure) => TransientFault.IsBehind(failure) || ContainerdFailures.IsUnreachable(failure);

    /// <summary>Whether what is done so far is good and worth keeping for the next run: a registry or containerd failed, or could not be reached.</summary>
    public static bool KeepsWhatIsDone(Exception failure) => TransientFault.KeepsPartialDownloads(failure) || ContainerdFailures.IsUnreachable(failure);

    /// <summary>Removes partial downloads, unless they are kept for the next run to resume.</summary>
    public static void RemoveDownloads(IImageConversion conversion, IngestArea ingest, Exception failure)
    {
        if (KeepsWhatIsDone(failure))
        {
            return;
        }

        foreach (var layer in conversion.Layers)
        {
            ingest.RemovePartial(layer.Blob.Digest);
        }
    }
}
