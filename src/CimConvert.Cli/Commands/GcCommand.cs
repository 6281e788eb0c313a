using System.CommandLine;
using CimConvert.Cli.Output;
using CimConvert.Store;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert gc STORE</c></summary>
internal static class GcCommand
{
    public static Command Create()
    {
        var store = new Argument<string>("STORE") { Description = "The store's directory." };
        var keep = new Option<string[]>("--keep")
        {
            Description = "Keep this image whatever its age or size: its reference in the store, or a pattern with '*'. May be given several times.",
            HelpName = "REF",
        };
        var olderThan = new Option<TimeSpan?>("--older-than")
        {
            Description = "Also remove images whose last use is longer ago, such as 30d or 12h. Last use is the last conversion, reuse or mount.",
            HelpName = "D",
            CustomParser = CommonOptions.ValueParser(Quantities.ParseDuration),
        };
        var maxSize = new Option<long?>("--max-size")
        {
            Description = "Also remove the least recently used images until layers and blobs fit into this size, such as 100GiB.",
            HelpName = "S",
            CustomParser = CommonOptions.ValueParser(Quantities.ParseSize),
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be removed, and remove nothing." };
        var json = CommonOptions.Json();
        var command = new Command("gc", "Removes from a store what no image in it needs, and what killed runs left behind.")
        {
            store, keep, olderThan, maxSize, dryRun, json, CommonOptions.Verbose(),
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new CollectionOptions
            {
                Keep = parsed.GetValue(keep) ?? [],
                OlderThan = parsed.GetValue(olderThan),
                MaxSize = parsed.GetValue(maxSize),
                DryRun = parsed.GetValue(dryRun),
            };
            var result = await new StoreCollection(ConversionStore.OpenExisting(parsed.GetRequiredValue(store)), options).RunAsync(cancellationToken);
            if (parsed.GetValue(json))
            {
                WriteJson(result, options.DryRun);
            }
            else
            {
                WriteText(result, options.DryRun);
            }

            foreach (var problem in result.Problems)
            {
                await Console.Error.WriteLineAsync($"warning: {problem}");
            }

            return result.Problems.Count == 0 ? ExitCodes.Done : ExitCodes.PartFailed;
        });
        return command;
    }

    private static void WriteText(CollectionResult result, bool dryRun)
    {
        var remove = dryRun ? "would remove" : "removed";
        string[] lines =
        [
            .. result.Images.Select(image => $"image {image.Name}"),
            .. result.Layers.Select(layer => $"layer {layer}"),
            .. result.Merged.Select(layer => $"merged CIM of {layer}"),
            .. result.Blobs.Select(blob => $"blob {blob}"),
            .. result.Leftovers.Select(name => $"leftover {name}"),
        ];
        foreach (var line in lines)
        {
            Console.WriteLine($"{remove} {line}");
        }

        Console.WriteLine($"{(dryRun ? "would free" : "freed")} {Sizes.Of(result.Freed)}; {Sizes.Of(result.Remaining)} stay");
    }

    private static void WriteJson(CollectionResult result, bool dryRun) => JsonOutput.WriteDocument(writer =>
    {
        writer.WriteStartObject();
        writer.WriteBoolean("dryRun", dryRun);
        JsonOutput.WriteStrings(writer, "images", result.Images.Select(image => image.Reference));
        writer.WriteStartArray("platforms");
        foreach (var image in result.Images)
        {
            writer.WriteStringValue(image.Manifest.Platform?.ToString());
        }

        writer.WriteEndArray();
        JsonOutput.WriteStrings(writer, "layers", result.Layers.Select(layer => layer.ToString()));
        JsonOutput.WriteStrings(writer, "merged", result.Merged.Select(layer => layer.ToString()));
        JsonOutput.WriteStrings(writer, "blobs", result.Blobs.Select(blob => blob.ToString()));
        JsonOutput.WriteStrings(writer, "leftovers", result.Leftovers);
        writer.WriteNumber("freed", result.Freed);
        writer.WriteNumber("remaining", result.Remaining);
        JsonOutput.WriteStrings(writer, "problems", result.Problems);
        writer.WriteEndObject();
    });
}
