using System.CommandLine;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert export CIM DIR</c></summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var cim = CommonOptions.Cim();
        var directory = new Argument<string>("DIR") { Description = "Where the files go; made where it is missing." };
        var sources = CommonOptions.Sources();
        var json = CommonOptions.Json();
        var command = new Command("export", "Unpacks a CIM into its standard file set, with those of its sources.") { cim, directory, sources, json, CommonOptions.Verbose() };
        command.SetAction((parsed, cancellationToken) =>
        {
            using var image = CommonOptions.OpenCim(parsed.GetRequiredValue(cim), parsed.GetValue(sources));
            var target = Path.GetFullPath(parsed.GetRequiredValue(directory));
            var files = image.ExportTo(target, cancellationToken);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("cim", Path.Combine(target, image.Name));
                    writer.WriteStartArray("files");
                    foreach (var name in files)
                    {
                        writer.WriteStringValue(name);
                    }

                    writer.WriteEndArray();
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine($"{Path.Combine(target, image.Name)} and {files.Count - 1} files it needs");
            }

            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }
}
