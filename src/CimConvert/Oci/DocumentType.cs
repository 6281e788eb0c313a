namespace CimConvert.Oci;

/// <summary>Checks that manifests and indexes share.</summary>
internal static class DocumentType
{
    public static void Check(string what, int schema, int expectedSchema, string? stated, string expected)
    {
        if (schema != expectedSchema)
        {
            throw new InvalidDataException($"{what} has schemaVersion {schema}; only {expectedSchema} is supported");
        }

        // manifest.md: "mediaType ... SHOULD be used and this field MUST contain" the type. It must match the type that was served.
        if (stated is not null && stated != expected)
        {
            throw new InvalidDataException($"{what} says it is '{Printable.Of(stated)}' but came as '{Printable.Of(expected)}'");
        }
    }

    /// <summary>Refuses null entries of arrays: the JSON reader checks the nullability of properties only.</summary>
    public static Descriptor RequireEntry(Descriptor? entry, string where) => entry ?? throw new InvalidDataException($"{where} is null");
}
