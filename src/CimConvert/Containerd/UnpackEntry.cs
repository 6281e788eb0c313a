using CimConvert.Toml;

namespace CimConvert.Containerd;

/// <summary>One entry of <c>unpack_config</c>; null is what it does not say.</summary>
internal sealed record UnpackEntry(string? Platform, string? Snapshotter, string? Differ)
{
    public static UnpackEntry Of(TomlTable table)
    {
        return new UnpackEntry(Text("platform"), Text("snapshotter"), Text("differ"));

        string? Text(string key) => table.TryGet(key, out var value) && value.Content is string { Length: > 0 } text ? text : null;
    }
}
