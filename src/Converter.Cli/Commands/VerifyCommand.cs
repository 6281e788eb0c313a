using System.CommandLine;
using Converter.Cli.Output;
using Converter.Core;
using Converter.Core.Imaging;
using Converter.Core.Store;

namespace Converter.Cli.Commands;

/// <summary><c>cimconvert verify CIM|STORE</c></summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var target = new Argument<string>("CIM|STORE") { Description = "A CIM, or a store's directory." };
        var sources = CommonOptions.Sources();
        var json = CommonOptions.Json();
        var command = new Command("verify", "Reads all of a CIM or a store, and checks everything in it.") { target, sources, json, CommonOptions.Verbose() };
        command.SetAction((parsed, cancellation) =>
        {
            var location = parsed.GetRequiredValue(target);
            var problems = Directory.Exists(location)
                ? new StoreVerification(ConversionStore.OpenExisting(location), cancellation).Run()
                : VerifyCim(location, parsed.GetValue(sources), cancellation);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteBoolean("ok", problems.Count == 0);
                    writer.WriteStartArray("problems");
                    foreach (var problem in problems)
                    {
                        writer.WriteStringValue(problem);
                    }

                    writer.WriteEndArray();
                    writer.WriteEndObject();
                });
            }
            else if (problems.Count == 0)
            {
                Console.WriteLine($"{location}: good");
            }

            foreach (var problem in problems)
            {
                Console.Error.WriteLine($"error: {problem}");
            }

            return Task.FromResult(problems.Count == 0 ? ExitCodes.Done : ExitCodes.Failed);
        });
        return command;
    }

    private static IReadOnlyList<string> VerifyCim(string location, string[]? sources, CancellationToken cancellation)
    {
        try
        {
            using var image = OpenCim.Open(location, sources);
            var path = image.Container is null ? null : location.Split(CimImage.NameSeparator)[0];
            CimVerification.Run(image, path, ExpectedRoot(path, image), cancellation);
            return [];
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return [e.Message];
        }
    }

    /// <summary>The root digest beside the file: of a merged CIM (one with sources) under another name than a layer's.</summary>
    private static byte[]? ExpectedRoot(string? path, CimImage image) => path is null
        ? null
        : IntegrityFile.TryRead(Path.Combine(
            Path.GetDirectoryName(Path.GetFullPath(path))!,
            image.Cim.ParentRegions.Count > 0 ? IntegrityFile.MergedName : IntegrityFile.LayerName));
}
