using System.Text.Json;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Store;

namespace CimConvert.Cli.Output;

/// <summary>The result of a conversion, as JSON (docs/cli.md) and as text.</summary>
internal static class ConversionReport
{
    public static void Write(ConversionResult result, bool json)
    {
        if (json)
        {
            JsonOutput.WriteDocument(writer => WriteJson(writer, result));
        }
        else
        {
            WriteText(result);
        }
    }

    public static void WriteJson(Utf8JsonWriter json, ConversionSummary result)
    {
        json.WriteStartObject();
        json.WriteString("image", result.Image.Name);
        json.WriteStartObject("source");
        json.WriteString("digest", result.Image.ManifestDescriptor.Digest.ToString());
        json.WriteString("mediaType", result.Image.ManifestDescriptor.MediaType);
        json.WriteString("platform", result.Image.Platform.ToString());
        JsonOutput.WriteStrings(json, "alternatives", result.Image.Alternatives.Select(other => other.ToString()));
        json.WriteEndObject();
        if (result is ContainerdResult registered)
        {
            ContainerdReport.WriteJson(json, registered);
        }

        if (result is ConversionResult stored)
        {
            WriteStored(json, stored);
        }

        if (result.From is { } from)
        {
            json.WriteStartObject("from");
            json.WriteString("reference", from.Reference);
            json.WriteString("digest", from.Digest.ToString());
            json.WriteString("foundBy", JsonNamingPolicy.CamelCase.ConvertName(from.By.ToString()));
            json.WriteEndObject();
        }

        json.WriteString("backend", result.Backend);
        json.WriteString("hives", result.Hives);
        if (result is ConversionResult { Pushed: var pushed })
        {
            WritePushed(json, pushed);
        }

        json.WriteStartObject("bytes");
        json.WriteNumber("downloaded", result.Bytes.Downloaded);
        json.WriteNumber("decompressed", result.Bytes.Decompressed);
        json.WriteNumber("written", result.Bytes.Written);
        json.WriteEndObject();
        json.WriteStartObject("timings");
        json.WriteNumber("resolveMs", result.Timings.Resolve);
        json.WriteNumber("layersMs", result.Timings.Layers);
        json.WriteNumber("mergeMs", result.Timings.Merge);
        json.WriteNumber("publishMs", result.Timings.Publish);
        json.WriteNumber("pushMs", result.Timings.Push);
        json.WriteNumber("totalMs", result.Timings.Total);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void WriteText(ConversionResult result)
    {
        Console.WriteLine($"{result.Image.Name} ({result.Image.Platform}{result.Image.AlsoThere})");
        foreach (var (layer, reused) in result.Layers)
        {
            Console.WriteLine($"  layer  {layer.Record.DiffId.Hex[..12]}  {Sizes.Of(layer.Size),10}  {(reused ? "reused   " : result.From is null ? "converted" : "pulled   ")}  {layer.CimFile}");
        }

        if (result.Layers.Count > 1 && result.Top.Merged is { } merged)
        {
            Console.WriteLine($"  merged               {Sizes.Of(merged.Size),10}             {result.Top.MergedFile}");
        }

        Console.WriteLine($"  manifest {result.Manifest.Digest}");
        WriteFrom(result);
        if (result.Pushed is { } pushed)
        {
            Console.WriteLine(
                $"  pushed to {pushed.Reference}: {pushed.Uploaded} uploaded ({Sizes.Of(pushed.Bytes)}), {pushed.Mounted} mounted, {pushed.Skipped} there already");
        }

        WriteTotals(result);
    }

    public static void WriteFrom(ConversionSummary result)
    {
        if (result.From is { } from)
        {
            Console.WriteLine($"  taken from {from.Reference}, manifest {from.Digest}");
        }
    }

    public static void WriteTotals(ConversionSummary result) => Console.WriteLine(
        $"  {Sizes.Of(result.Bytes.Downloaded)} downloaded, {Sizes.Of(result.Bytes.Decompressed)} unpacked, {Sizes.Of(result.Bytes.Written)} written"
        + $" by the {result.Backend} back end in {result.Timings.Total} ms");

    private static void WriteStored(Utf8JsonWriter json, ConversionResult result)
    {
        json.WriteStartObject("converted");
        json.WriteString("digest", result.Manifest.Digest.ToString());
        json.WriteString("mediaType", result.Manifest.MediaType);
        json.WriteNumber("size", result.Manifest.Size);
        json.WriteEndObject();
        json.WriteStartArray("layers");
        foreach (var layer in result.Layers)
        {
            WriteLayer(json, layer);
        }

        json.WriteEndArray();
        WriteMerged(json, result.Top);
    }

    private static void WriteLayer(Utf8JsonWriter json, ConvertedLayer converted)
    {
        var record = converted.Layer.Record;
        json.WriteStartObject();
        json.WriteString("source", record.SourceDigest.ToString());
        json.WriteString("diffId", record.DiffId.ToString());
        json.WriteString("chainId", record.ChainId.ToString());
        WriteFile(json, converted.Layer.CimFile, converted.Layer.Size);
        json.WriteBoolean("reused", converted.Reused);
        json.WriteString("integrity", record.Cim.IntegrityRoot);
        json.WriteEndObject();
    }

    private static void WriteMerged(Utf8JsonWriter json, StoredLayer top)
    {
        if (top.Record.Parents.Count == 0 || top.Merged is not { } merged)
        {
            json.WriteNull("merged");
            return;
        }

        json.WriteStartObject("merged");
        WriteFile(json, top.MergedFile!, merged.Size);
        json.WriteString("integrity", merged.IntegrityRoot);
        json.WriteEndObject();
    }

    private static void WritePushed(Utf8JsonWriter json, PushResult? pushed)
    {
        if (pushed is null)
        {
            json.WriteNull("pushed");
            return;
        }

        json.WriteStartObject("pushed");
        json.WriteString("reference", pushed.Reference.ToString());
        json.WriteString("digest", pushed.Manifest.Digest.ToString());
        json.WriteNumber("uploaded", pushed.Uploaded);
        json.WriteNumber("skipped", pushed.Skipped);
        json.WriteNumber("mounted", pushed.Mounted);
        json.WriteNumber("bytes", pushed.Bytes);
        json.WriteEndObject();
    }

    private static void WriteFile(Utf8JsonWriter json, string path, long size)
    {
        json.WriteString("path", path);
        json.WriteNumber("size", size);
    }
}
