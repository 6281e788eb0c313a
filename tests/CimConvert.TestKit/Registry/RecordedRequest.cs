namespace CimConvert.TestKit.Registry;

/// <summary>One request as it arrived.</summary>
/// <param name="Method">GET, HEAD and so on.</param>
/// <param name="Path">The path, without the query.</param>
/// <param name="Query">The query with its question mark, or nothing.</param>
/// <param name="Host">The Host header: what the client thought it was talking to.</param>
/// <param name="Authorization">The header's whole value, null where none was sent.</param>
/// <param name="Range">The header's whole value, null where none was sent.</param>
/// <param name="ContentRange">The header's whole value, null where none was sent.</param>
public sealed record RecordedRequest(string Method, string Path, string Query, string Host, string? Authorization, string? Range, string? ContentRange)
{
    /// <summary>All headers, by their names in any case.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
}
