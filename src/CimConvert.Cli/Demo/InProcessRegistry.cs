using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace CimConvert.Cli.Demo;

/// <summary>
/// A registry without a server: what it holds, and what it answers to a pull (distribution spec, "Pull"). The demo serves it as it is.
/// The test kit compiles this file as well, and adds pushes, logins and faults. All repositories have the same content; tags belong to one.
/// </summary>
internal class InProcessRegistry
{
    private const string Root = "/v2/";
    private const string Manifests = "/manifests/";
    private const string Blobs = "/blobs/";

    private readonly ConcurrentDictionary<string, Func<Stream>> _blobs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StoredManifest> _manifests = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _tags = new(StringComparer.Ordinal);

    /// <summary>By their digests.</summary>
    protected IReadOnlyDictionary<string, StoredManifest> AllManifests => _manifests;

    public static string DigestOf(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The repository and the name that a path has before and after a separator such as <c>/blobs/</c>.</summary>
    public static (string Repository, string Name)? Split(string path, string separator)
    {
        var at = path.LastIndexOf(separator, StringComparison.Ordinal);
        return at > Root.Length && path.StartsWith(Root, StringComparison.Ordinal)
            ? (path[Root.Length..at], path[(at + separator.Length)..])
            : null;
    }

    /// <summary>The first byte that a Range header asks for, all others following; null for all of it.</summary>
    public static long? FirstByte(string? range)
    {
        const string prefix = "bytes=";
        return range is not null && range.StartsWith(prefix, StringComparison.Ordinal) && range.EndsWith('-')
            && long.TryParse(range.AsSpan()[prefix.Length..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            ? first
            : null;
    }

    /// <returns>The blob's digest.</returns>
    public string AddBlob(byte[] bytes)
    {
        var digest = DigestOf(bytes);
        AddBlob(digest, () => new MemoryStream(bytes, writable: false));
        return digest;
    }

    public void AddBlob(string digest, Func<Stream> open) => _blobs[digest] = open;

    /// <returns>The manifest's digest.</returns>
    public string AddManifest(string mediaType, byte[] bytes)
    {
        var digest = DigestOf(bytes);
        _manifests[digest] = new StoredManifest(mediaType, bytes);
        return digest;
    }

    public void AddTag(string repository, string tag, string digest) => _tags[$"{repository}:{tag}"] = digest;

    public string? FindTag(string repository, string tag) => _tags.GetValueOrDefault($"{repository}:{tag}");

    public virtual bool HasBlob(string repository, string digest) => _blobs.ContainsKey(digest);

    public (string Digest, StoredManifest Manifest)? FindManifest(string repository, string tagOrDigest)
    {
        var digest = tagOrDigest.Contains(':', StringComparison.Ordinal) ? tagOrDigest : FindTag(repository, tagOrDigest);
        return digest is not null && _manifests.TryGetValue(digest, out var manifest) ? (digest, manifest) : null;
    }

    /// <param name="path">Of the request.</param>
    /// <param name="first">See <see cref="FirstByte"/>.</param>
    public RegistryAnswer Pull(string path, long? first)
    {
        if (Split(path, Manifests) is var (repository, name) && FindManifest(repository, name) is var (digest, manifest))
        {
            return RegistryAnswer.Of(digest, manifest.MediaType, new MemoryStream(manifest.Bytes, writable: false), first);
        }

        if (Split(path, Blobs) is var (holder, blob) && HasBlob(holder, blob))
        {
            return RegistryAnswer.Of(blob, "application/octet-stream", _blobs[blob](), first);
        }

        return path.Contains(Manifests, StringComparison.Ordinal)
            ? RegistryAnswer.Error(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN", "manifest unknown")
            : RegistryAnswer.Error(HttpStatusCode.NotFound, "BLOB_UNKNOWN", "blob unknown to registry");
    }

    internal sealed record StoredManifest(string MediaType, byte[] Bytes);
}

/// <summary>What a server sends: the status, the headers, and the content from its position on.</summary>
internal sealed record RegistryAnswer(HttpStatusCode Status, IReadOnlyList<(string Name, string Value)> Headers, Stream Content) : IDisposable
{
    public bool IsContent => Status is HttpStatusCode.OK or HttpStatusCode.PartialContent;

    /// <summary>Content, all of it or from a byte on.</summary>
    public static RegistryAnswer Of(string digest, string mediaType, Stream content, long? first)
    {
        if (first >= content.Length)
        {
            content.Dispose();
            return new RegistryAnswer(HttpStatusCode.RequestedRangeNotSatisfiable, [], Stream.Null);
        }

        content.Position = first ?? 0;
        (string, string)[] headers = [("Content-Type", mediaType), ("Docker-Content-Digest", digest), ("Accept-Ranges", "bytes")];
        return first is null
            ? new RegistryAnswer(HttpStatusCode.OK, headers, content)
            : new RegistryAnswer(
                HttpStatusCode.PartialContent,
                [.. headers, ("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes {first}-{content.Length - 1}/{content.Length}"))],
                content);
    }

    /// <summary>An error as registries say it (distribution spec, "Error Codes").</summary>
    public static RegistryAnswer Error(HttpStatusCode status, string code, string message) => new(
        status,
        [("Content-Type", "application/json")],
        new MemoryStream(Encoding.UTF8.GetBytes($$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}"""), writable: false));

    public void Dispose() => Content.Dispose();
}
