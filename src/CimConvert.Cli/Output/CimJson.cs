using System.Text.Json;
using CimConvert.Cims;

namespace CimConvert.Cli.Output;

/// <summary>The JSON fields that describe a CIM that a command wrote.</summary>
internal static class CimJson
{
    public static void Write(Utf8JsonWriter json, CommittedCim cim, string cimName)
    {
        json.WriteString("path", Path.GetFullPath(cim.Path));
        json.WriteString("cimName", cimName);
        json.WriteNumber("size", cim.Size);
        json.WriteString("integrity", cim.IntegrityRoot is { } root ? Convert.ToHexStringLower(root) : null);
    }
}
