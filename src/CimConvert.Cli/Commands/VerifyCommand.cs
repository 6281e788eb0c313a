using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;
using CimConvert.Store;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert verify CIM|STORE</c></summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var target = new Argument<string>("CIM|STORE") { Description = "A CIM as for ls, or a store's directory." };
        var sources = CommonOptions.Sources();
        var repair = new Option<bool>("--repair") { Description = "Remove what is broken in a store, so that the next conversion makes it again." };
        var json = CommonOptions.Json();
        var command = new Command("verify", "Reads and checks everything in a CIM or a store.") { target, sources, repair, json, CommonOptions.Verbose() };
        command.Validators.Add(result =>
        {
            if (result.GetValue(repair) && !Directory.Exists(result.GetValue(target)))
            {
                result.AddError("--repair goes with a store's directory: make a single CIM again with the command that made it");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var location = parsed.GetRequiredValue(target);
            var (problems, repaired, left) = Directory.Exists(location)
                ? await VerifyStoreAsync(ConversionStore.OpenExisting(location), parsed.GetValue(repair), cancellationToken)
                : VerifyCim(location, parsed.GetValue(sources), cancellationToken);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteBoolean("ok", left.Count == 0);
                    JsonOutput.WriteStrings(writer, "problems", problems);
                    JsonOutput.WriteStrings(writer, "repaired", repaired);
                    writer.WriteEndObject();
                });
            }
            else if (problems.Count == 0)
            {
                Console.WriteLine($"{location}: good");
            }
            else
            {
                foreach (var line in repaired)
                {
                    Console.WriteLine(line);
                }
            }

            foreach (var problem in problems.Union(left))
            {
                await Console.Error.WriteLineAsync($"error: {problem}");
            }

            return left.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    /// <returns>What was broken, what was repaired, and what is still broken.</returns>
    private static async Task<(IReadOnlyList<string> Problems, IReadOnlyList<string> Repaired, IReadOnlyList<string> Left)> VerifyStoreAsync(
        ConversionStore store, bool repair, CancellationToken cancellationToken)
    {
        var problems = new StoreVerification(store, cancellationToken).Run();
        string[] lines = [.. problems.Select(problem => problem.ToString())];
        if (!repair || problems.Count == 0)
        {
            return (lines, [], lines);
        }

        var result = await new StoreRepair(store).RunAsync(problems, cancellationToken);
        return (lines, result.Repaired, result.Left);
    }

    private static (IReadOnlyList<string> Problems, IReadOnlyList<string> Repaired, IReadOnlyList<string> Left) VerifyCim(
        string location, string[]? sources, CancellationToken cancellationToken)
    {
        try
        {
            using var opened = CommonOptions.OpenCim(location, sources);
            var path = opened.Container is null ? null : location.Split(OpenCim.NameSeparator)[0];
            opened.Verify(path, ExpectedRoot(path, opened), cancellationToken);
            return ([], [], []);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return ([e.Message], [], [e.Message]);
        }
    }

    /// <summary>The root digest in the file beside a block file. For a merged CIM, which has parent regions, that file has another name.</summary>
    private static byte[]? ExpectedRoot(string? path, OpenCim opened) => path is null
        ? null
        : IntegrityFile.TryRead(Path.Combine(
            Path.GetDirectoryName(Path.GetFullPath(path))!,
            opened.Cim.ParentRegions.Count > 0 ? IntegrityFile.MergedName : IntegrityFile.LayerName));
}
