using System.Text.Json;
using CimConvert.Cims;

namespace CimConvert.Cli.Output;

/// <summary>The fields that say which block file a command made.</summary>
internal static class ImageJson
{
    public static void Write(Utf8JsonWriter json, CommittedCim image, string cimName)
    {
        json.WriteString("path", Path.GetFullPath(image.Path));
        json.WriteString("cimName", cimName);
        json.WriteNumber("size", image.Size);
        json.WriteString("integrity", image.IntegrityRoot is { } root ? Convert.ToHexStringLower(root) : null);
    }
}
