using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert merge --block FILE SOURCE...</c></summary>
internal static class MergeCommand
{
    public static Command Create()
    {
        var sources = new Argument<string[]>("SOURCE") { Description = "Block files of the layers, topmost first; at least two.", Arity = new ArgumentArity(2, 4096) };
        var block = new Option<string>("--block") { Description = "The block file to make.", Required = true, HelpName = "FILE" };
        var cimName = new Option<string>("--cim-name") { Description = "Name of the merged CIM.", DefaultValueFactory = _ => "merged.cim", HelpName = "NAME" };
        var integrity = CommonOptions.Integrity();
        var vhdFooter = CommonOptions.VhdFooter();
        var backendName = CommonOptions.Backend();
        var json = CommonOptions.Json();
        var command = new Command("merge", "Merges layers' block CIMs into one that holds metadata only.")
        {
            sources, block, cimName, integrity, vhdFooter, backendName, json, CommonOptions.Verbose(),
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = new BlockCimOptions(parsed.GetValue(integrity), parsed.GetValue(vhdFooter));
            var backend = CimBackends.Select(parsed.GetRequiredValue(backendName), options);
            var name = parsed.GetRequiredValue(cimName);
            var image = backend.Merge(
                parsed.GetRequiredValue(block),
                name,
                [.. parsed.GetRequiredValue(sources).Select(BlockCim.Parse)],
                options,
                cancellationToken);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    ImageJson.Write(writer, image, name);
                    writer.WriteString("backend", backend.Name);
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine($"{image.Path}: {Sizes.Of(image.Size)}");
            }

            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }
}
