using System.Text.Json;
using CimConvert.Cims;
using CimConvert.Cims.Tools;

namespace CimConvert.Cli.Output;

/// <summary>The JSON document of <c>info --json</c> (docs/cli.md).</summary>
internal static class CimInfoJson
{
    public static void Write(OpenCim opened, CimCounts counts, CimContent content) => JsonOutput.WriteDocument(json =>
    {
        var cim = opened.Cim;
        json.WriteStartObject();
        json.WriteString("name", opened.Name);
        json.WriteString("form", opened.Container is null ? "standard" : "block");
        json.WriteBoolean("sealed", opened.Container?.IsSealed ?? false);
        json.WriteNumber("version", cim.Version);
        json.WriteString("regionSet", cim.OwnRegions.Id.ToString("D"));
        json.WriteStartArray("regions");
        foreach (var region in cim.Regions.Skip(cim.FirstOwnRegion))
        {
            json.WriteStartObject();
            json.WriteNumber("index", region.Index);
            json.WriteString("type", region.Type.ToString().ToLowerInvariant());
            json.WriteString("file", region.Name);
            json.WriteNumber("size", region.Length);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("parents");
        foreach (var parent in cim.ParentRegions)
        {
            json.WriteStartObject();
            json.WriteString("regionSet", parent.Id.ToString("D"));
            json.WriteNumber("regions", parent.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Write(json, counts);
        Write(json, content);
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, CimCounts counts)
    {
        json.WriteStartObject("entries");
        json.WriteNumber("files", counts.Files);
        json.WriteNumber("directories", counts.Directories);
        json.WriteNumber("links", counts.Links);
        json.WriteNumber("hardLinks", counts.HardLinks);
        json.WriteNumber("alternateStreams", counts.AlternateStreams);
        json.WriteNumber("layerMarks", counts.LayerMarks);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, CimContent content)
    {
        json.WriteStartObject("content");
        json.WriteNumber("total", content.Total);
        json.WriteNumber("sparse", content.Sparse);
        json.WriteNumber("inParents", content.InParents);
        json.WriteNumber("own", content.Own);
        json.WriteNumber("stored", content.Stored);
        json.WriteNumber("deduplicated", content.Deduplicated);
        json.WriteEndObject();
    }
}
