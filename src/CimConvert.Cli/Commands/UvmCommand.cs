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
        var layer = new Argument<string>("LAYER") { Description = "A base layer's tar, uncompressed or compressed." };
        var destination = new Option<string>("--dest")
        {
            Description = $"The directory to write '{BootCimImport.BlockFileName}' to; created if it does not exist.",
            HelpName = "DIR",
            Required = true,
        };
        var limits = new InputLimitOptions();
        var backend = CommonOptions.Backend();
        var asJson = CommonOptions.Json();
        var command = new Command("uvm", "Imports the utility VM's files of a base layer into a CIM that the VM boots from.")
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
                Report(import, cim, writer.Name, parsed.GetValue(asJson));
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                throw Failures.Of(path, e);
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static void Report(UtilityVmResult import, CommittedCim cim, string backend, bool asJson)
    {
        if (!asJson)
        {
            Console.WriteLine($"{cim.Path}: {import.Entries} entries, {Sizes.Of(import.Size)} of files in {Sizes.Of(cim.Size)}");
            return;
        }

        JsonOutput.WriteDocument(json =>
        {
            json.WriteStartObject();
            CimJson.Write(json, cim, BootCimImport.CimName);
            json.WriteNumber("filesSize", import.Size);
            json.WriteNumber("entries", import.Entries);
            json.WriteString("backend", backend);
            json.WriteEndObject();
        });
    }
}
