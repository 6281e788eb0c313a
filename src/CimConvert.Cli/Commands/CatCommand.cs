using System.CommandLine;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert cat CIM PATH[:STREAM]</c></summary>
internal static class CatCommand
{
    public static Command Create()
    {
        var cim = CommonOptions.Cim();
        var path = new Argument<string>("PATH") { Description = "The file in the CIM; :STREAM selects one of its alternate data streams." };
        var sources = CommonOptions.Sources();
        var command = new Command("cat", "Writes a file of a CIM to standard output.") { cim, path, sources, CommonOptions.Verbose() };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var opened = CommonOptions.OpenCim(parsed.GetRequiredValue(cim), parsed.GetValue(sources));
            await using var stream = OpenStream(opened.Cim, parsed.GetRequiredValue(path));
            await using var output = Console.OpenStandardOutput();
            await stream.CopyToAsync(output, cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Stream OpenStream(CimReader cim, string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var path = CimPath.Parse(colon < 0 ? text : text[..colon]);
        if (cim.Find(path) is not { } entry)
        {
            throw new InvalidDataException($"there is no '{path}' in the CIM");
        }

        if (colon >= 0)
        {
            var name = text[(colon + 1)..];
            var streams = cim.AlternateStreams(entry);
            return streams.Any(s => NameComparer.Instance.Equals(s.Name, name))
                ? cim.OpenStream(streams.First(s => NameComparer.Instance.Equals(s.Name, name)).Stream)
                : throw new InvalidDataException($"'{path}' has no alternate stream '{name}'");
        }

        var type = CimListing.TypeOf(entry);
        return type == CimEntryType.File
            ? cim.OpenStream(entry.Data)
            : throw new InvalidDataException($"'{path}' is no file: it is a {type.ToString().ToLowerInvariant()}");
    }
}
