namespace CimConvert.Oci;

/// <summary>A reference to content by media type, digest and size (OCI image spec, descriptor.md).</summary>
internal sealed record Descriptor
{
    public required string MediaType { get; init; }

    public required Digest Digest { get; init; }

    public required long Size { get; init; }

    /// <summary>Other addresses of the content. Foreign layers have only these.</summary>
    public IReadOnlyList<string>? Urls { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public string? ArtifactType { get; init; }

    /// <summary>Set only on the entries of an index.</summary>
    public Platform? Platform { get; init; }

    /// <param name="where">The descriptor's position in its document, for the error message.</param>
    /// <exception cref="InvalidDataException">A field is invalid.</exception>
    internal void Validate(string where)
    {
        if (MediaType.Length == 0)
        {
            throw new InvalidDataException($"{where} has an empty mediaType");
        }

        if (Size < 0)
        {
            throw new InvalidDataException($"{where} has the negative size {Size}");
        }
    }
}
