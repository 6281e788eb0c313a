using System.Text.Json.Serialization;

namespace CimConvert.Oci;

/// <summary>The platform that an image runs on (OCI image spec, image-index.md, "platform").</summary>
internal sealed record Platform
{
    public const string Windows = "windows";

    public required string Os { get; init; }

    public required string Architecture { get; init; }

    public string? Variant { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    /// <summary>
    /// Parses <c>os/architecture[/variant]</c>. Like containerd, accepts the architecture names of uname and converts them to Go's.
    /// </summary>
    /// <exception cref="InvalidDataException">The text has another form.</exception>
    public static Platform Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.ToLowerInvariant().Split('/');
        if (parts.Length is not (2 or 3) || Array.Exists(parts, part => part.Length == 0 || !part.All(IsNameCharacter)))
        {
            throw new InvalidDataException($"platform '{Printable.Of(text)}' is not of the form os/architecture[/variant], such as windows/amd64");
        }

        var architecture = parts[1] switch
        {
            "x86_64" or "x86-64" => "amd64",
            "aarch64" => "arm64",
            _ => parts[1],
        };
        return new Platform { Os = parts[0], Architecture = architecture, Variant = parts.Length == 3 ? parts[2] : null };
    }

    /// <summary>The platform on one line: <c>os/architecture[/variant] [version]</c>.</summary>
    public override string ToString() => Printable.Of(
        $"{Os}/{Architecture}{(string.IsNullOrEmpty(Variant) ? string.Empty : "/" + Variant)}{(string.IsNullOrEmpty(OsVersion) ? string.Empty : " " + OsVersion)}");

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.';
}
