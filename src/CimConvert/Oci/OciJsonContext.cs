using System.Text.Json.Serialization;

namespace CimConvert.Oci;

/// <summary>
/// Rules for parsing OCI documents: unknown fields are ignored (OCI image spec, considerations.md, "Extensibility"). Duplicate fields
/// are refused, because parsers disagree on which one counts, and so are nulls in required fields.
/// </summary>
[JsonSourceGenerationOptions(
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageConfig))]
internal sealed partial class OciJsonContext : JsonSerializerContext;
