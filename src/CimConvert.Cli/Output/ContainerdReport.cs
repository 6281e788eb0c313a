using System.Text.Json;
using CimConvert.Pipeline;

namespace CimConvert.Cli.Output;

/// <summary>The result of a conversion into containerd, as JSON (docs/cli.md) and as text.</summary>
internal static class ContainerdReport
{
    public static void Write(ContainerdResult result, bool json)
    {
        if (json)
        {
            JsonOutput.WriteDocument(writer => ConversionReport.WriteJson(writer, result));
        }
        else
        {
            WriteText(result);
        }
    }

    /// <summary>What only this result has: the place, and the layers.</summary>
    public static void WriteJson(Utf8JsonWriter json, ContainerdResult result)
    {
        json.WriteStartObject("containerd");
        json.WriteString("address", result.Address);
        json.WriteString("namespace", result.Namespace);
        json.WriteString("snapshotter", result.Snapshotter);
        JsonOutput.WriteStrings(json, "names", result.Names);
        json.WriteBoolean("registered", result.Registered);
        json.WriteEndObject();
        json.WriteStartArray("layers");
        foreach (var layer in result.Layers)
        {
            json.WriteStartObject();
            json.WriteString("source", layer.Plan.Blob.Digest.ToString());
            json.WriteString("diffId", layer.Plan.DiffId.ToString());
            json.WriteString("chainId", layer.Plan.ChainId.ToString());
            json.WriteString("path", layer.Path);
            json.WriteNumber("size", layer.Size);
            json.WriteBoolean("reused", layer.Reused);
            json.WriteString("origin", JsonNamingPolicy.CamelCase.ConvertName(layer.Origin.ToString()));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteText(ContainerdResult result)
    {
        Console.WriteLine($"{result.Image.Name} ({result.Image.Platform}{result.Image.AlsoThere})");
        foreach (var layer in result.Layers)
        {
            var origin = layer.Origin switch
            {
                LayerOrigin.Containerd => "there already",
                LayerOrigin.Store => "linked   ",
                LayerOrigin.Converted => "pulled   ",
                _ => "converted",
            };
            var place = layer.Path is null ? string.Empty : $"  {OneLine.Of(layer.Path)}";
            Console.WriteLine($"  layer  {layer.Plan.DiffId.Digest.Hex[..12]}  {Sizes.Of(layer.Size),10}  {origin}{place}");
        }

        ConversionReport.WriteFrom(result);

        foreach (var name in result.Names)
        {
            Console.WriteLine($"  name   {name}");
        }

        Console.WriteLine(
            $"  {(result.Registered ? "registered with" : "already in")} containerd ({result.Snapshotter}, {result.Namespace}) at {result.Address}");
        ConversionReport.WriteTotals(result);
    }
}
