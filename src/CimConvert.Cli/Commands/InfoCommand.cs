using System.CommandLine;
using System.Globalization;
using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert info CIM</c></summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var cim = CommonOptions.Cim();
        var sources = CommonOptions.Sources();
        var json = CommonOptions.Json();
        var command = new Command("info", "Shows a CIM's regions and parents, what it contains and how that is stored.") { cim, sources, json, CommonOptions.Verbose() };
        command.SetAction((parsed, cancellationToken) =>
        {
            using var opened = CommonOptions.OpenCim(parsed.GetRequiredValue(cim), parsed.GetValue(sources));
            var (counts, content) = CimStatistics.Count(opened.Cim, cancellationToken);
            if (parsed.GetValue(json))
            {
                CimInfoJson.Write(opened, counts, content);
            }
            else
            {
                Print(opened, counts, content);
            }

            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static void Print(OpenCim opened, CimCounts counts, CimContent content)
    {
        var cim = opened.Cim;
        Line("name", opened.Name);
        Line("form", opened.Container is { } container ? container.IsSealed ? "block file, sealed" : "block file" : "standard set");
        Line("version", $"{cim.Version}");
        Line("regions", $"{cim.OwnRegions.Count} of {cim.OwnRegions.Id:D}");
        foreach (var region in cim.Regions.Skip(cim.FirstOwnRegion))
        {
            Line(string.Empty, $"{region.Index}: {region.Type.ToString().ToLowerInvariant()}, {Sizes.Of(region.Length)}");
        }

        Line("parents", cim.ParentRegions.Count == 0 ? "none" : $"{cim.ParentRegions.Count}, with {cim.FirstOwnRegion} regions");
        Line("holds", $"{counts.Files} files, {counts.Directories} directories, {counts.Links} links, {counts.HardLinks} hard links, {counts.AlternateStreams} alternate streams");
        if (counts.LayerMarks > 0)
        {
            Line(string.Empty, $"{counts.LayerMarks} marks for lower layers");
        }

        Line("content", $"{Sizes.Of(content.Total)}: {Sizes.Of(content.InParents)} in parents, {Sizes.Of(content.Sparse)} of zeros, {Sizes.Of(content.Own)} own");
        Line("stored", $"{Sizes.Of(content.Stored)}; deduplication saves {Sizes.Of(content.Deduplicated)}");
    }

    private static void Line(string name, string value) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-10}{value}"));
}
