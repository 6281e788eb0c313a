using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert pack CIM --block FILE</c></summary>
internal static class PackCommand
{
    public static Command Create()
    {
        var cim = CommonOptions.Cim();
        var block = new Option<string>("--block") { Description = "The block file to write.", Required = true, HelpName = "FILE" };
        var sources = CommonOptions.Sources();
        var integrity = CommonOptions.Integrity();
        var vhdFooter = CommonOptions.VhdFooter();
        var json = CommonOptions.Json();
        var command = new Command("pack", "Packs the files of a standard CIM, and those of its parents or sources, into one self-contained block file.")
        {
            cim, block, sources, integrity, vhdFooter, json, CommonOptions.Verbose(),
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            using var opened = CommonOptions.OpenCim(parsed.GetRequiredValue(cim), parsed.GetValue(sources));
            var options = new BlockCimOptions(parsed.GetValue(integrity), parsed.GetValue(vhdFooter));
            var packed = opened.PackInto(parsed.GetRequiredValue(block), options, cancellationToken);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    CimJson.Write(writer, packed, opened.Name);
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine($"{packed.Path}: {Sizes.Of(packed.Size)}");
            }

            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }
}
