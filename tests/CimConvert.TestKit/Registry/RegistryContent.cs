using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

namespace CimConvert.TestKit.Registry;

/// <summary>
/// What the registry holds. Content is the same in every repository, but for those that have only what is pushed to them; tags belong to one.
/// </summary>
internal sealed class RegistryContent
{
    private readonly ConcurrentDictionary<string, Func<Stream>> _blobs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Manifest> _manifests = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _tags = new(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> _separate = new(StringComparer.Ordinal);
    private readonly Lock _tagging = new();

    /// <summary>Makes a repository that has only what is pushed to it.</summary>
    public void AddSeparate(string repository) => _separate.TryAdd(repository, new(StringComparer.Ordinal));

    public void AddBlob(string repository, byte[] bytes) => Own(repository, AddBlob(bytes));

    public bool HasBlob(string repository, string digest) =>
        _blobs.ContainsKey(digest) && (!_separate.TryGetValue(repository, out var own) || own.ContainsKey(digest));

    public bool Mount(string digest, string from, string to)
    {
        if (!HasBlob(from, digest))
        {
            return false;
        }

        Own(to, digest);
        return true;
    }

    /// <returns>The manifest's digest; null where the tag is not the expected manifest's.</returns>
    public string? PutManifest(string repository, string name, string mediaType, byte[] bytes, string? expected)
    {
        lock (_tagging)
        {
            if (expected is not null && _tags.GetValueOrDefault($"{repository}:{name}") != expected)
            {
                return null;
            }

            var digest = AddManifest(mediaType, bytes);
            AddTag(repository, name, digest);
            Own(repository, digest);
            return digest;
        }
    }

    /// <summary>The manifests that were pushed to a repository that has only such.</summary>
    public IEnumerable<Manifest> Manifests(string repository) => _separate.TryGetValue(repository, out var own)
        ? own.Keys.Where(_manifests.ContainsKey).Select(digest => _manifests[digest])
        : _manifests.Values;

    public string AddBlob(byte[] bytes)
    {
        var digest = DigestOf(bytes);
        _blobs[digest] = () => new MemoryStream(bytes, writable: false);
        return digest;
    }

    public string AddManifest(string mediaType, byte[] bytes)
    {
        var digest = DigestOf(bytes);
        _manifests[digest] = new Manifest(mediaType, bytes);
        return digest;
    }

    public void AddTag(string repository, string tag, string digest) => _tags[$"{repository}:{tag}"] = digest;

    /// <summary>Serves an OCI image layout: its blobs from their files, the manifests its index reaches, and the tags it names.</summary>
    public void AddLayout(string repository, string folder)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "blobs", "sha256")))
        {
            _blobs["sha256:" + Path.GetFileName(file)] = () => File.OpenRead(file);
        }

        AddManifestsOf(repository, folder, File.ReadAllBytes(Path.Combine(folder, "index.json")));
    }

    public Stream? OpenBlob(string repository, string digest) => HasBlob(repository, digest) ? _blobs[digest]() : null;

    public (string Digest, Manifest Manifest)? FindManifest(string repository, string tagOrDigest)
    {
        var digest = tagOrDigest.Contains(':', StringComparison.Ordinal) ? tagOrDigest : _tags.GetValueOrDefault($"{repository}:{tagOrDigest}");
        return digest is not null && _manifests.TryGetValue(digest, out var manifest) ? (digest, manifest) : null;
    }

    private void Own(string repository, string digest)
    {
        if (_separate.TryGetValue(repository, out var own))
        {
            own[digest] = true;
        }
    }

    private void AddManifestsOf(string repository, string folder, byte[] index)
    {
        using var document = JsonDocument.Parse(index);
        if (!document.RootElement.TryGetProperty("manifests", out var entries))
        {
            return;
        }

        foreach (var entry in entries.EnumerateArray())
        {
            var digest = entry.GetProperty("digest").GetString()!;
            var bytes = File.ReadAllBytes(Path.Combine(folder, "blobs", "sha256", digest["sha256:".Length..]));
            AddManifest(entry.GetProperty("mediaType").GetString()!, bytes);
            if (entry.TryGetProperty("annotations", out var annotations)
                && annotations.TryGetProperty("org.opencontainers.image.ref.name", out var name))
            {
                AddTag(repository, name.GetString()!, digest);
            }

            AddManifestsOf(repository, folder, bytes);
        }
    }

    public static string DigestOf(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    internal sealed record Manifest(string MediaType, byte[] Bytes);
}
