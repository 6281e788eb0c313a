using System.CommandLine;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert destroy CIM</c></summary>
internal static class DestroyCommand
{
    public static Command Create()
    {
        var cim = LayerLocation.Argument();
        var force = new Option<bool>("--force") { Description = "Also remove a CIM that others are forked from, or whose region files are incomplete." };
        var json = CommonOptions.Json();
        var command = new Command("destroy", "Removes a standard CIM: the .cim file, and its own region and object ID files.") { cim, force, json, CommonOptions.Verbose() };
        command.SetAction(parsed =>
        {
            var path = LayerLocation.CimOf(parsed.GetRequiredValue(cim));
            var removed = CimDestruction.Destroy(path, parsed.GetValue(force));
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteStartArray("removed");
                    foreach (var file in removed)
                    {
                        writer.WriteStringValue(file);
                    }

                    writer.WriteEndArray();
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine($"{path}: {removed.Count} files removed");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
