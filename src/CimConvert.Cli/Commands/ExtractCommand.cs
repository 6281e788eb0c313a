using System.CommandLine;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert extract CIM DIR</c></summary>
internal static class ExtractCommand
{
    public static Command Create()
    {
        var cim = CommonOptions.Cim();
        var directory = new Argument<string>("DIR") { Description = "A new or empty directory." };
        var sources = CommonOptions.Sources();
        var json = CommonOptions.Json();
        var command = new Command("extract", "Extracts the files in a CIM into a directory.") { cim, directory, sources, json, CommonOptions.Verbose() };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var opened = CommonOptions.OpenCim(parsed.GetRequiredValue(cim), parsed.GetValue(sources));
            var result = CimExtraction.Extract(opened.Cim, parsed.GetRequiredValue(directory), cancellationToken);
            foreach (var line in result.Skipped)
            {
                await Console.Error.WriteLineAsync($"warning: not extracted: {OneLine.Of(line)}");
            }

            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("files", result.Files);
                    writer.WriteNumber("directories", result.Directories);
                    writer.WriteNumber("links", result.Links);
                    writer.WriteNumber("bytes", result.Bytes);
                    writer.WriteNumber("skipped", result.Skipped.Count);
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine($"{result.Files} files ({Sizes.Of(result.Bytes)}), {result.Directories} directories and {result.Links} links; {result.Skipped.Count} left out");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
