using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cli.Output;
using CimConvert.Layers.UtilityVm;
using CimConvert.Pipeline;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert uvm LAYER.tar --dest DIR</c></summary>
internal static class UvmCommand
{
    public static Command Create()
    {
        var layer = new Argument<string>("LAYER") { Description = "A base layer's tar, plain or compressed." };
        var destination = new Option<string>("--dest")
        {
            Description = $"The directory that gets '{BootCimImport.BlockFileName}'; made where it is missing.",
            HelpName = "DIR",
            Required = true,
        };
        var limits = new InputLimitOptions();
        var backend = CommonOptions.Backend();
        var asJson = CommonOptions.Json();
        var command = new Command("uvm", "Makes the CIM that a utility VM boots from, of the files that a base layer has for it.")
        {
            layer, destination, backend, asJson, CommonOptions.Verbose(),
        };
        limits.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = parsed.GetRequiredValue(layer);
            var writer = CimBackends.Select(parsed.GetRequiredValue(backend), BootCimImport.Options);
            try
            {
                var (import, cim) = await new BootCimImport(writer, limits.Read(parsed)).RunAsync(path, parsed.GetRequiredValue(destination), cancellationToken);
                Report(import, image, writer.Name, parsed.GetValue(asJson));
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                throw Failures.Of(path, e);
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static void Report(UtilityVmResult import, CommittedCim image, string backend, bool asJson)
    {
        if (!asJson)
        {
            Console.WriteLine($"{image.Path}: {import.Entries} entries, {Sizes.Of(import.Size)} of files in {Sizes.Of(image.Size)}");
            return;
        }

        JsonOutput.WriteDocument(json =>
        {
            json.WriteStartObject();
            ImageJson.Write(json, cim, BootCimImport.CimName);
            json.WriteNumber("filesSize", import.Size);
            json.WriteNumber("entries", import.Entries);
            json.WriteString("backend", backend);
            json.WriteEndObject();
        });
    }
}
