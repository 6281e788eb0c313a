using System.Text.Json;
using CimConvert.Prewarming;
using CimConvert.Storage;
using Spectre.Console;

namespace CimConvert.Cli.Output;

/// <summary>The result of a prewarm run or dry run, as JSON (docs/prewarm.md), as a table and as an exit code.</summary>
internal static class PrewarmOutput
{
    public static int Write(PrewarmReport report, bool json)
    {
        if (json)
        {
            JsonOutput.WriteDocument(writer => WriteJson(writer, report));
        }
        else
        {
            WriteTable(report);
        }

        return report.IsComplete ? ExitCodes.Done
            : report.IsStoppedByFullDisk ? ExitCodes.MachineUnfit
            : report.Ready == 0 ? ExitCodes.Failed
            : ExitCodes.PartFailed;
    }

    public static int Write(IReadOnlyList<PlannedImage> plan, bool json)
    {
        if (json)
        {
            JsonOutput.WriteDocument(writer => WriteJson(writer, plan));
        }
        else
        {
            WriteTable(plan);
        }

        var failed = plan.Count(image => image.Error is not null);
        return failed == 0 ? ExitCodes.Done : failed == plan.Count ? ExitCodes.Failed : ExitCodes.PartFailed;
    }

    /// <summary>Atomic: a program that waits for the report reads a complete one.</summary>
    public static void WriteFile(string path, PrewarmReport report) =>
        AtomicFile.Write(path, file => JsonOutput.WriteDocument(file, writer => WriteJson(writer, report)));

    private static void WriteJson(Utf8JsonWriter json, PrewarmReport report)
    {
        json.WriteStartObject();
        json.WriteStartArray("images");
        foreach (var image in report.Images)
        {
            json.WriteStartObject();
            json.WriteString("image", image.Image.Location.ToString());
            json.WriteString("platform", image.Platform.ToString());
            json.WriteString("outcome", NameOf(image.Outcome));
            json.WriteNumber("attempts", image.Attempts);
            json.WriteNumber("retries", image.Retries);
            json.WriteString("error", image.Error);
            json.WritePropertyName("conversion");
            if (image.Conversion is { } conversion)
            {
                ConversionReport.WriteJson(json, conversion);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("totals");
        foreach (var outcome in Enum.GetValues<PrewarmOutcome>())
        {
            json.WriteNumber(NameOf(outcome), report.Images.Count(image => image.Outcome == outcome));
        }

        json.WriteNumber("downloaded", report.Images.Sum(image => image.Conversion?.Bytes.Downloaded ?? 0));
        json.WriteNumber("decompressed", report.Images.Sum(image => image.Conversion?.Bytes.Decompressed ?? 0));
        json.WriteNumber("written", report.Images.Sum(image => image.Conversion?.Bytes.Written ?? 0));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteJson(Utf8JsonWriter json, IReadOnlyList<PlannedImage> plan)
    {
        json.WriteStartObject();
        json.WriteStartArray("images");
        foreach (var image in plan)
        {
            json.WriteStartObject();
            json.WriteString("image", image.Image.Location.ToString());
            json.WriteString("platform", image.Platform.ToString());
            json.WriteString("digest", image.Source?.Digest.ToString());
            json.WriteNumber("layers", image.Layers);
            json.WriteNumber("toConvert", image.ToConvert);
            json.WriteNumber("toFetch", image.Bytes);
            json.WriteString("error", image.Error);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("toFetch", plan.Sum(image => image.Bytes));
        json.WriteEndObject();
    }

    private static void WriteTable(PrewarmReport report)
    {
        var table = Tables.WithColumns("image", "platform", "outcome", "layers", "reused", "downloaded", "written", "seconds");
        foreach (var image in report.Images)
        {
            var conversion = image.Conversion;
            table.AddRow(
                Markup.Escape(image.Image.Location.ToString()),
                Markup.Escape(image.Platform.ToString()),
                NameOf(image.Outcome),
                $"{conversion?.Image.Config.DiffIds.Count}",
                $"{conversion?.Reused}",
                conversion is null ? string.Empty : Sizes.Of(conversion.Bytes.Downloaded),
                conversion is null ? string.Empty : Sizes.Of(conversion.Bytes.Written),
                conversion is null ? string.Empty : Invariant($"{conversion.Timings.Total / 1000.0:0.0}"));
        }

        Tables.Draw(table);
        foreach (var image in report.Images.Where(image => image.Error is not null))
        {
            Console.WriteLine($"failed: {OneLine.Of(image.Error!)}");
        }

        Console.WriteLine($"{report.Ready} of {report.Images.Count} images are ready");
    }

    private static void WriteTable(IReadOnlyList<PlannedImage> plan)
    {
        var table = Tables.WithColumns("image", "platform", "layers", "to convert", "to fetch");
        foreach (var image in plan.Where(image => image.Error is null))
        {
            table.AddRow(
                Markup.Escape(image.Image.Location.ToString()), Markup.Escape(image.Platform.ToString()), $"{image.Layers}", $"{image.ToConvert}", Sizes.Of(image.Bytes));
        }

        Tables.Draw(table);
        foreach (var image in plan.Where(image => image.Error is not null))
        {
            Console.WriteLine($"failed: {OneLine.Of(image.Error!)}");
        }

        Console.WriteLine($"{Sizes.Of(plan.Sum(image => image.Bytes))} to fetch, {plan.Sum(image => image.ToConvert)} layers to convert");
    }

    private static string NameOf(PrewarmOutcome outcome) => JsonNamingPolicy.CamelCase.ConvertName(outcome.ToString());

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
