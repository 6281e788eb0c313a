using System.CommandLine;
using CimConvert.Cli.Output;
using CimConvert.Layers.Hives;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert hive merge BASE DELTA... --output FILE</c></summary>
internal static class HiveMergeCommand
{
    public static Command Create()
    {
        var baseHive = new Argument<string>("BASE") { Description = "The hive to start from." };
        var deltas = new Argument<string[]>("DELTA") { Description = "Delta hives of layers, nearest to the base first.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--output", "-o") { Description = "The hive file to write, which must not exist yet.", Required = true, HelpName = "FILE" };
        var json = CommonOptions.Json();
        var command = new Command("merge", "Merges a hive with the delta hives of layers.") { baseHive, deltas, output, json, CommonOptions.Verbose() };
        command.SetAction((parsed, cancellationToken) =>
        {
            var merger = new ManagedHiveMerger();
            var file = new FileInfo(parsed.GetRequiredValue(output));
            string[] hives = [parsed.GetRequiredValue(baseHive), .. parsed.GetRequiredValue(deltas)];
            NewHive.Write(file.FullName, partial => merger.Merge(hives, partial, cancellationToken));
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("path", file.FullName);
                    writer.WriteNumber("size", file.Length);
                    writer.WriteString("hives", merger.Name);
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine($"{file.FullName}: {Sizes.Of(file.Length)}");
            }

            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }
}
