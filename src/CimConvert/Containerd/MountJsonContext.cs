using System.Text.Json.Serialization;

namespace CimConvert.Containerd;

[JsonSerializable(typeof(string[]))]
internal sealed partial class MountJsonContext : JsonSerializerContext;
