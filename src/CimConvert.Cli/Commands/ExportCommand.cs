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
        var directory = new Argument<string>("DIR") { Description = "The directory for the files; created if it does not exist." };
        var sources = CommonOptions.Sources();
        var json = CommonOptions.Json();
        var command = new Command("export", "Copies the standard files of a CIM, and those of its sources, into a directory.") { cim, directory, sources, json, CommonOptions.Verbose() };
        command.SetAction((parsed, cancellationToken) =>
        {
            using var opened = CommonOptions.OpenCim(parsed.GetRequiredValue(cim), parsed.GetValue(sources));
            var target = Path.GetFullPath(parsed.GetRequiredValue(directory));
            var files = opened.ExportTo(target, cancellationToken);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("cim", Path.Combine(target, opened.Name));
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
                Console.WriteLine($"{Path.Combine(target, opened.Name)} and {files.Count - 1} files it needs");
            }

            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }
}
