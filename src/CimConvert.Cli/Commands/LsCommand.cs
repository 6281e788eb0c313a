using System.CommandLine;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;
using CimConvert.Formats.Cim;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert ls CIM [PATH]</c></summary>
internal static class LsCommand
{
    public static Command Create()
    {
        var cim = CommonOptions.Cim();
        var path = new Argument<string>("PATH") { Description = @"Path in the CIM, with \ or / between names. Default: the root.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => string.Empty };
        var recursive = new Option<bool>("--recursive", "-R") { Description = "Also list everything below." };
        var hash = new Option<bool>("--hash") { Description = "With --json: add the SHA-256 of every file and alternate data stream." };
        var json = new Option<bool>("--json") { Description = "Write one JSON object per line." };
        var sources = CommonOptions.Sources();
        var command = new Command("ls", "Lists the contents of a CIM.") { cim, path, recursive, hash, json, sources, CommonOptions.Verbose() };
        command.SetAction(parsed =>
        {
            using var opened = CommonOptions.OpenCim(parsed.GetRequiredValue(cim), parsed.GetValue(sources));
            var listing = new CimListing(opened.Cim);
            var entries = listing.Entries(CimPath.Parse(parsed.GetValue(path)!), parsed.GetValue(recursive));
            if (parsed.GetValue(json))
            {
                var withHash = parsed.GetValue(hash);
                JsonOutput.WriteLines(entries, (writer, entry) => listing.WriteJson(writer, entry.Path, entry.Entry, withHash));
            }
            else
            {
                foreach (var (entryPath, entry) in entries)
                {
                    Console.WriteLine(OneLine.Of(listing.Line(entryPath, entry)));
                }
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
