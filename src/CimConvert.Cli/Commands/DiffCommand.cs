using System.CommandLine;
using System.Text.Json;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert diff A B</c>: exit code 0 where they hold the same, 1 where they differ, as diff has it.</summary>
internal static class DiffCommand
{
    public static Command Create()
    {
        var (first, second) = (Cim("A"), Cim("B"));
        var (firstSources, secondSources) = (Sources("--source-a", "A"), Sources("--source-b", "B"));
        var json = new Option<bool>("--json") { Description = "One JSON object a line." };
        var command = new Command("diff", "Compares what two CIMs hold, however each stores it. Exit code 1 where they differ.")
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
        Description = "A block file, FILE::NAME for one CIM of several in it, or the .cim file of a standard set.",
    };

    private static Option<string[]> Sources(string name, string cim) => new(name)
    {
        Description = $"A block file that {cim}, a merged CIM, was merged from; once for each, topmost first. Found by itself in a store.",
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
