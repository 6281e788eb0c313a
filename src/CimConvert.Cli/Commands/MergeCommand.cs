using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert merge --block FILE SOURCE...</c></summary>
internal static class MergeCommand
{
    public static Command Create()
    {
        var sources = new Argument<string[]>("SOURCE") { Description = "The layers' block files, topmost first; at least two.", Arity = new ArgumentArity(2, 4096) };
        var block = new Option<string>("--block") { Description = "The block file to write.", Required = true, HelpName = "FILE" };
        var cimName = new Option<string>("--cim-name") { Description = "Name of the merged CIM.", DefaultValueFactory = _ => "merged.cim", HelpName = "NAME" };
        var integrity = CommonOptions.Integrity();
        var vhdFooter = CommonOptions.VhdFooter();
        var backendName = CommonOptions.Backend();
        var json = CommonOptions.Json();
        var command = new Command("merge", "Merges the block CIMs of layers into one that holds metadata only, and refers to them for data.")
        {
            sources, block, cimName, integrity, vhdFooter, backendName, json, CommonOptions.Verbose(),
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = new BlockCimOptions(parsed.GetValue(integrity), parsed.GetValue(vhdFooter));
            var backend = CimBackends.Select(parsed.GetRequiredValue(backendName), options);
            var name = parsed.GetRequiredValue(cimName);
            var merged = backend.Merge(
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
                    CimJson.Write(writer, merged, name);
                    writer.WriteString("backend", backend.Name);
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine($"{merged.Path}: {Sizes.Of(merged.Size)}");
            }

            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }
}
