using System.CommandLine;
using Converter.Cli.Output;
using Converter.Core;
using Converter.Core.Imaging;
using Converter.Core.Layers;
using Converter.Core.Pipeline;

namespace Converter.Cli.Commands;

/// <summary><c>cimconvert import LAYER.tar --block FILE</c></summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var layer = new Argument<string>("LAYER") { Description = "The layer's tar, plain or compressed with gzip." };
        var block = new Option<string>("--block") { Description = "The block file to make.", Required = true, HelpName = "FILE" };
        var cimName = new Option<string>("--cim-name") { Description = "Name of the CIM in it.", DefaultValueFactory = _ => "layer.cim", HelpName = "NAME" };
        var parents = new Option<string[]>("--parent") { Description = "A parent layer's block file; once for each, nearest first. Its hives are taken from the folder Hives beside it. None for a base layer.", HelpName = "FILE" };
        var integrity = CommonOptions.Integrity();
        var vhdFooter = CommonOptions.VhdFooter();
        var backendName = CommonOptions.Backend();
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("import", "Imports one layer into a block CIM.")
        {
            layer, block, cimName, parents, integrity, vhdFooter, backendName, json, quiet, verbose,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var loggers = CommonOptions.MakeLoggers(new LogSettings(parsed.GetValue(quiet), parsed.GetValue(verbose)));
            var path = parsed.GetRequiredValue(layer);
            var parentFiles = parsed.GetValue(parents) ?? [];
            var options = new ImageOptions(parsed.GetValue(integrity), parsed.GetValue(vhdFooter));
            var backend = ImageBackends.Select(parsed.GetRequiredValue(backendName), options);
            var hives = HiveMergers.For(backend);
            var import = new FileImport(backend, hives, options, loggers.CreateLogger("import"));
            try
            {
                var (result, image) = await import.RunAsync(
                    path, parsed.GetRequiredValue(block), parsed.GetRequiredValue(cimName), parentFiles, cancellation);
                Report(image, parsed.GetRequiredValue(cimName), result.Size, result.Entries, backend.Name, hives.Name, parsed.GetValue(json));
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                throw Failures.Of(path, e);
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static void Report(CommittedImage image, string cimName, long filesSize, long entries, string backend, string hives, bool asJson)
    {
        if (!asJson)
        {
            Console.WriteLine($"{image.Path}: {entries} entries, {Sizes.Of(filesSize)} of files in {Sizes.Of(image.Size)}");
            return;
        }

        JsonOutput.WriteDocument(json =>
        {
            json.WriteStartObject();
            ImageJson.Write(json, image, cimName);
            json.WriteNumber("filesSize", filesSize);
            json.WriteNumber("entries", entries);
            json.WriteString("backend", backend);
            json.WriteString("hives", hives);
            json.WriteEndObject();
        });
    }
}
