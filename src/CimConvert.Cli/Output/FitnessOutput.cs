using CimConvert.Fitness;

namespace CimConvert.Cli.Output;

/// <summary>What <c>cimconvert doctor</c> found.</summary>
internal static class FitnessOutput
{
    public static void WriteText(FitnessReport report)
    {
        foreach (var check in report.Checks)
        {
            Console.WriteLine(OneLine.Of($"{NameOf(check.Status),-8} {check.Name}: {check.Message}"));
        }

        Console.WriteLine(report.IsFit ? "this node is fit" : "this node is not fit");
        if (report.Configuration.Count == 0)
        {
            return;
        }

        Console.WriteLine(OneLine.Of($"put into {report.ConfigurationPath}, and start containerd again:"));
        foreach (var line in report.Configuration)
        {
            Console.WriteLine(OneLine.Of(line));
        }
    }

    public static void WriteJson(FitnessReport report) => JsonOutput.WriteDocument(json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("fit", report.IsFit);
        json.WriteStartArray("checks");
        foreach (var check in report.Checks)
        {
            json.WriteStartObject();
            json.WriteString("name", check.Name);
            json.WriteString("status", NameOf(check.Status));
            json.WriteString("message", check.Message);
            JsonOutput.WriteStrings(json, "configuration", check.Configuration);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("configurationFile", report.ConfigurationPath);
        JsonOutput.WriteStrings(json, "configuration", report.Configuration);
        json.WriteEndObject();
    });

    private static string NameOf(FitnessStatus status) => status switch
    {
        FitnessStatus.Ok => "ok",
        FitnessStatus.Warning => "warning",
        FitnessStatus.Failed => "failed",
        _ => "unknown",
    };
}
