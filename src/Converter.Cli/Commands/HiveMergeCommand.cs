using System.CommandLine;
using Converter.Cli.Output;
using Converter.Core.Layers;

namespace Converter.Cli.Commands;

/// <summary><c>cimconvert hive merge BASE DELTA... --output FILE</c></summary>
internal static class HiveMergeCommand
{
    private const string PartialSuffix = ".partial";

    public static Command Create()
    {
        var baseHive = new Argument<string>("BASE") { Description = "The whole hive." };
        var deltas = new Argument<string[]>("DELTA") { Description = "Differencing hives, the nearest to the base first.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--output", "-o") { Description = "The hive to make; nothing may have the name yet.", Required = true, HelpName = "FILE" };
        var json = CommonOptions.Json();
        var command = new Command("merge", "Merges a hive with the changes of layers.") { baseHive, deltas, output, json, CommonOptions.Verbose() };
        command.SetAction((parsed, cancellation) =>
        {
            var merger = new ManagedHiveMerger();
            var file = new FileInfo(parsed.GetRequiredValue(output));
            Merge(merger, [parsed.GetRequiredValue(baseHive), .. parsed.GetRequiredValue(deltas)], file.FullName, cancellation);
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

    private static void Merge(ManagedHiveMerger merger, IReadOnlyList<string> hives, string output, CancellationToken cancellation)
    {
        if (Path.Exists(output))
        {
            throw new IOException($"'{output}' exists already: remove it first, or choose another name");
        }

        var partial = output + PartialSuffix;
        try
        {
            merger.Merge(hives, partial, cancellation);
            File.Move(partial, output, overwrite: false);
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
