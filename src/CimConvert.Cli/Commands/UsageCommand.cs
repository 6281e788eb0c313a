using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert usage CIM</c></summary>
internal static class UsageCommand
{
    public static Command Create()
    {
        var cim = LayerLocation.Argument();
        var json = CommonOptions.Json();
        var command = new Command("usage", "Shows how much disk space a standard CIM takes.") { cim, json, CommonOptions.Verbose() };
        command.SetAction(parsed =>
        {
            var standard = StandardCim.Open(LayerLocation.CimOf(parsed.GetRequiredValue(cim)));
            var usage = standard.Usage();
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("cim", standard.Path);
                    writer.WriteNumber("files", usage.OwnFiles);
                    writer.WriteNumber("bytes", usage.OwnBytes);
                    writer.WriteNumber("parentFiles", usage.ParentFiles);
                    writer.WriteNumber("parentBytes", usage.ParentBytes);
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine($"{Sizes.Of(usage.OwnBytes)} in {usage.OwnFiles} files of its own, {Sizes.Of(usage.ParentBytes)} in {usage.ParentFiles} of its parents");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
