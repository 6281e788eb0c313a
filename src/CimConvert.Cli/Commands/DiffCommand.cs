using System.CommandLine;
using System.Text.Json;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert diff A B</c>: exit code 0 if the contents are equal, 1 if they differ, as for diff.</summary>
internal static class DiffCommand
{
    public static Command Create()
    {
        var (first, second) = (Cim("A"), Cim("B"));
        var (firstSources, secondSources) = (Sources("--source-a", "A"), Sources("--source-b", "B"));
        var json = new Option<bool>("--json") { Description = "Write one JSON object per line." };
        var command = new Command("diff", "Compares the contents of two CIMs, however each stores them. The exit code is 1 if they differ.")
        {
            first, second, firstSources, secondSources, json, CommonOptions.Verbose(),
        };
        command.SetAction(parsed =>
        {
            using var a = CommonOptions.OpenCim(parsed.GetRequiredValue(first), parsed.GetValue(firstSources));
            using var b = CommonOptions.OpenCim(parsed.GetRequiredValue(second), parsed.GetValue(secondSources));
            var count = 0;
            var differences = CimComparison.Compare(a.Cim, b.Cim).Select(difference =>
            {
                count++;
                return difference;
            });
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteLines(differences, WriteJson);
            }
            else
            {
                foreach (var difference in differences)
                {
                    Console.WriteLine(OneLine.Of(Line(difference)));
                }
            }

            return count == 0 ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    private static Argument<string> Cim(string name) => new(name)
    {
        Description = "A block file, FILE::NAME for one of several CIMs in it, or a standard .cim file.",
    };

    private static Option<string[]> Sources(string name, string cim) => new(name)
    {
        Description = $"A block file that {cim}, a merged CIM, refers to; one option for each, topmost first. Found automatically in a store.",
        HelpName = "FILE",
    };

    private static string Line(CimDifference difference) => difference.Change switch
    {
        CimChange.Added => $"+ {difference.Path}",
        CimChange.Removed => $"- {difference.Path}",
        _ => $"! {difference.Path} ({string.Join(", ", difference.Fields)})",
    };

    private static void WriteJson(Utf8JsonWriter writer, CimDifference difference)
    {
        writer.WriteStartObject();
        writer.WriteString("path", difference.Path.Value);
        writer.WriteString("change", difference.Change.ToString().ToLowerInvariant());
        writer.WriteStartArray("fields");
        foreach (var field in difference.Fields)
        {
            writer.WriteStringValue(field);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
