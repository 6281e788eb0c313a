using System.Collections.Concurrent;
using System.Text.Json;
using CimConvert.Cli.Demo;

namespace CimConvert.TestKit.Registry;

/// <summary>What the registry holds, with repositories that have only what is pushed to them.</summary>
internal sealed class RegistryContent : InProcessRegistry
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> _separate = new(StringComparer.Ordinal);
    private readonly Lock _tagging = new();

    /// <summary>Makes a repository that has only what is pushed to it.</summary>
    public void AddSeparate(string repository) => _separate.TryAdd(repository, new(StringComparer.Ordinal));

    public void AddBlob(string repository, byte[] bytes) => Own(repository, AddBlob(bytes));

    public override bool HasBlob(string repository, string digest) =>
        base.HasBlob(repository, digest) && (!_separate.TryGetValue(repository, out var own) || own.ContainsKey(digest));

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
            if (expected is not null && FindTag(repository, name) != expected)
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
    public IEnumerable<StoredManifest> Manifests(string repository) => _separate.TryGetValue(repository, out var own)
        ? own.Keys.Where(AllManifests.ContainsKey).Select(digest => AllManifests[digest])
        : AllManifests.Values;

    /// <summary>Serves an OCI image layout: its blobs from their files, the manifests its index reaches, and the tags it names.</summary>
    public void AddLayout(string repository, string folder)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "blobs", "sha256")))
        {
            AddBlob("sha256:" + Path.GetFileName(file), () => File.OpenRead(file));
        }

        AddManifestsOf(repository, folder, File.ReadAllBytes(Path.Combine(folder, "index.json")));
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
}
