using System.Globalization;
using System.Text.Json;
using CimConvert.Formats.Regf;

namespace CimConvert.Cli.Output;

/// <summary>A registry key with its subkeys and values, as JSON (docs/cli.md) and as text.</summary>
internal static class HiveReport
{
    /// <summary>Names of the registry's value types, by number (learn.microsoft.com/windows/win32/sysinfo/registry-value-types).</summary>
    private static readonly string[] s_types =
    [
        "REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_LINK", "REG_MULTI_SZ",
        "REG_RESOURCE_LIST", "REG_FULL_RESOURCE_DESCRIPTOR", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD",
    ];

    public static void WriteJson(Utf8JsonWriter json, HiveKey key, string path)
    {
        json.WriteStartObject();
        json.WriteString("path", path);
        WriteKey(json, key);
        json.WriteStartArray("subkeys");
        foreach (var subkey in key.Subkeys)
        {
            json.WriteStartObject();
            json.WriteString("name", subkey.Name);
            WriteKey(json, subkey);
            json.WriteNumber("subkeyCount", subkey.Subkeys.Length);
            json.WriteNumber("valueCount", subkey.Values.Length);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("values");
        foreach (var value in key.Values)
        {
            json.WriteStartObject();
            json.WriteString("name", value.Name);
            json.WriteString("type", TypeOf(value));
            json.WriteNumber("size", value.Data.Length);
            json.WriteBoolean("tombstone", value.IsTombstone);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Subkeys by name, then values in the order they are stored; the default value is shown as <c>@</c>.</summary>
    public static void WriteText(HiveKey key, TextWriter output)
    {
        foreach (var subkey in key.Subkeys)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"key {subkey.Subkeys.Length,8} keys {subkey.Values.Length,8} values  {Printable.WithoutControls(subkey.Name)}{Note(subkey)}"));
        }

        foreach (var value in key.Values)
        {
            var name = value.Name.Length == 0 ? "@" : Printable.WithoutControls(value.Name);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"value {TypeOf(value),-16} {value.Data.Length,10} B  {name}{(value.IsTombstone ? " (removed)" : string.Empty)}"));
        }
    }

    private static void WriteKey(Utf8JsonWriter json, HiveKey key)
    {
        json.WriteNumber("lastWriteTime", key.LastWritten);
        json.WriteString("layer", LayerOf(key.Layer));
    }

    private static string Note(HiveKey key) => key.Layer switch
    {
        LayerSemantics.Merge => string.Empty,
        LayerSemantics.Tombstone => " (removed)",
        _ => $" ({LayerOf(key.Layer)})",
    };

    /// <summary>How a delta hive's key combines with the key of the layers below; "merge" for every key of other hives.</summary>
    private static string LayerOf(LayerSemantics layer) => layer switch
    {
        LayerSemantics.Tombstone => "tombstone",
        LayerSemantics.SupersedeLocal => "supersede-local",
        LayerSemantics.SupersedeTree => "supersede-tree",
        _ => "merge",
    };

    private static string TypeOf(in HiveValue value) =>
        value.Type < s_types.Length ? s_types[value.Type] : string.Create(CultureInfo.InvariantCulture, $"0x{value.Type:X}");
}
