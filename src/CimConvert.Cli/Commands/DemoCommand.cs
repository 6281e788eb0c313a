using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Demo;
using CimConvert.Cli.Output;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Regf;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Registry;
using CimConvert.Sources;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert demo</c>: converts a generated image that this process itself serves.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var output = new Option<string?>("--output", "-o") { Description = "The store to convert into, which is kept. Default: a temporary one.", HelpName = "DIR" };
        var backendName = CommonOptions.Backend();
        backendName.DefaultValueFactory = _ => CimBackends.Managed;
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("demo", "Makes a small Windows image, serves it from a registry in this process, and converts it over HTTP.")
        {
            output, backendName, json, quiet, verbose,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var temporary = parsed.GetValue(output) is null ? System.IO.Directory.CreateTempSubdirectory("cimconvert-demo-").FullName : null;
            try
            {
                var options = new ConversionOptions
                {
                    Platform = Platform.Parse("windows/amd64"),
                    Block = new BlockCimOptions(Integrity: true),
                };
                var store = parsed.GetValue(output) ?? temporary!;
                var backend = CimBackends.Select(parsed.GetRequiredValue(backendName), options.Block);
                var result = await ConvertAsync(store, backend, options, new LogSettings(parsed.GetValue(quiet), parsed.GetValue(verbose)), cancellationToken);
                if (parsed.GetValue(json))
                {
                    JsonOutput.WriteDocument(writer => ConversionReport.WriteJson(writer, result));
                }
                else
                {
                    ConversionReport.WriteText(result);
                    if (backend is ManagedBackend)
                    {
                        // Windows' own block files can only be looked into by mounting them.
                        ShowMerged(result);
                    }

                    ShowSoftware(result);
                }

                return ExitCodes.Done;
            }
            finally
            {
                if (temporary is not null)
                {
                    System.IO.Directory.Delete(temporary, recursive: true);
                }
            }
        });
        return command;
    }

    private static async Task<ConversionResult> ConvertAsync(
        string store, ICimBackend backend, ConversionOptions options, LogSettings log, CancellationToken cancellationToken)
    {
        var content = new InProcessRegistry();
        DemoImage.AddTo(content);
        await using var registry = new DemoRegistry(content);
        var reference = ImageReference.Parse($"{registry.Host}/{DemoImage.Repository}:{DemoImage.Tag}");
        return await ConvertCommand.RunAsync(
            new ImageLocation.Remote(reference),
            store,
            push: null,
            backend,
            options,
            new RegistryOptions { PlainHttp = true },
            log,
            cancellationToken);
    }

    private static void ShowMerged(ConversionResult result)
    {
        using var opened = CommonOptions.OpenCim(result.Top.MergedFile!, sources: null);
        var listing = new CimListing(opened.Cim);
        Console.WriteLine();
        Console.WriteLine("The merged CIM holds:");
        foreach (var (path, entry) in listing.Entries(CimPath.Root, recursive: true))
        {
            Console.WriteLine($"  {listing.Line(path, entry)}");
        }
    }

    private static void ShowSoftware(ConversionResult result)
    {
        var merged = RegistryHive.All.Single(hive => hive.Name == "SOFTWARE").BaseFile(result.Top.Folder);
        Console.WriteLine();
        Console.WriteLine("Its registry hive SOFTWARE, merged of the base layer's and the application's changes:");
        Console.Out.Flush();
        using var output = Console.OpenStandardOutput();
        RegExport.Write(HiveFile.Read(merged).Root, Hive.PathSeparator.ToString(), output);
    }
}
