using CimConvert.Pipeline;

namespace CimConvert.Cli.Output;

/// <summary>The result of <c>convert --all</c>, as JSON (docs/cli.md), as text and as an exit code.</summary>
internal static class IndexReport
{
    public static int Write(IndexConversionResult result, bool json)
    {
        if (json)
        {
            WriteJson(result);
        }
        else
        {
            WriteText(result);
        }

        foreach (var failed in result.Failed)
        {
            Console.Error.WriteLine($"error: {OneLine.Of(failed.Failure.Message)}");
        }

        return result.Failed.Count == 0 ? ExitCodes.Done
            : result.Converted.Count > 0 ? ExitCodes.PartFailed
            : result.Failed.All(failed => Failures.IsDiskFull(failed.Failure)) ? ExitCodes.MachineUnfit
            : ExitCodes.Failed;
    }

    private static void WriteJson(IndexConversionResult result) => JsonOutput.WriteDocument(json =>
    {
        json.WriteStartObject();
        json.WriteString("image", result.Image);
        json.WriteStartArray("images");
        foreach (var converted in result.Converted)
        {
            ConversionReport.WriteJson(json, converted);
        }

        json.WriteEndArray();
        json.WriteStartArray("failed");
        foreach (var failed in result.Failed)
        {
            json.WriteStartObject();
            json.WriteString("digest", failed.Entry.Digest.ToString());
            json.WriteString("platform", failed.Entry.Platform?.ToString());
            json.WriteString("error", failed.Failure.Message);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (result.Pushed is { } pushed)
        {
            json.WriteStartObject("pushed");
            json.WriteString("reference", pushed.Reference.ToString());
            json.WriteString("digest", pushed.Digest.ToString());
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("pushed");
        }

        json.WriteEndObject();
    });

    private static void WriteText(IndexConversionResult result)
    {
        Console.WriteLine(result.Image);
        foreach (var image in result.Converted)
        {
            Console.WriteLine(
                $"  {image.Image.Platform}: {image.Layers.Count} layers, {image.Reused} reused, {Sizes.Of(image.Bytes.Written)} written"
                + $" by the {image.Backend} back end in {image.Timings.Total} ms, manifest {image.Manifest.Digest}");
        }

        if (result.Pushed is { } pushed)
        {
            Console.WriteLine($"  pushed to {pushed.Reference}: index {pushed.Digest}");
        }
    }
}
