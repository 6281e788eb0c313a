using System.Text.Json;
using System.Text.Json.Serialization;

namespace CimConvert.TestKit.Oracles;

/// <summary>One line of <c>ls -R --json</c>.</summary>
public sealed record ListedEntry
{
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    [JsonPropertyName("type")]
    public required string Type { get; init; }

    [JsonPropertyName("attributes")]
    public required uint Attributes { get; init; }

    [JsonPropertyName("size")]
    public required long Size { get; init; }

    [JsonPropertyName("creationTime")]
    public required long CreationTime { get; init; }

    [JsonPropertyName("lastWriteTime")]
    public required long LastWriteTime { get; init; }

    [JsonPropertyName("changeTime")]
    public required long ChangeTime { get; init; }

    [JsonPropertyName("lastAccessTime")]
    public required long LastAccessTime { get; init; }

    [JsonPropertyName("sd")]
    public string? Sd { get; init; }

    [JsonPropertyName("ea")]
    public string? Ea { get; init; }

    [JsonPropertyName("reparse")]
    public string? Reparse { get; init; }

    [JsonPropertyName("streams")]
    public IReadOnlyList<ListedStream>? Streams { get; init; }

    [JsonPropertyName("fileId")]
    public required long FileId { get; init; }

    [JsonPropertyName("sha256")]
    public string? Sha256 { get; init; }

    /// <summary>Parses the command's output; a blank line ends nothing and means nothing.</summary>
    public static IReadOnlyList<ListedEntry> ParseLines(string output) =>
    [
        .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => JsonSerializer.Deserialize<ListedEntry>(line) ?? throw new JsonException("a null line")),
    ];
}

/// <summary>An alternate stream in a listing; the contract promises its name and size.</summary>
public sealed record ListedStream
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("size")]
    public required long Size { get; init; }

    [JsonPropertyName("sha256")]
    public string? Sha256 { get; init; }
}
