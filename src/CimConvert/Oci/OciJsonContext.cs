using System.Text.Json.Serialization;

namespace CimConvert.Oci;

/// <summary>
/// How the documents are read: fields we do not know are skipped (image spec, considerations.md, "Extensibility"),
/// but no field comes twice, since parsers disagree on which one counts, and none is null where a value belongs.
/// </summary>
[JsonSourceGenerationOptions(
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageConfig))]
internal sealed partial class OciJsonContext : JsonSerializerContext;
