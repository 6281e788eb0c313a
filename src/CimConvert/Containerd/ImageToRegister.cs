using CimConvert.Oci;

namespace CimConvert.Containerd;

/// <summary>A document as the registry sent it.</summary>
internal sealed record RegisteredDocument(Descriptor Descriptor, ReadOnlyMemory<byte> Bytes);

/// <summary>An image whose layers are in a snapshotter, and that containerd is to know.</summary>
internal sealed record ImageToRegister
{
    /// <summary>The registry's host, with its port: part of the label that says where content came from.</summary>
    public required string Host { get; init; }

    public required string Repository { get; init; }

    /// <summary>All names that pods may use; see <see cref="NamesOf"/>.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>
    /// The index that the manifest was chosen from, if there was one: the names then mean it. Of indexes of indexes all on the way,
    /// the named one first.
    /// </summary>
    public IReadOnlyList<RegisteredDocument> Indexes { get; init; } = [];

    public required RegisteredDocument Manifest { get; init; }

    public required RegisteredDocument Config { get; init; }

    public required ChainId Top { get; init; }

    public required Snapshotter Snapshotter { get; init; }

    /// <summary>Kubelet's garbage collection is to leave the image alone.</summary>
    public bool Pin { get; init; }

    /// <summary>Whether the image was asked for by digest: it then has no name by tag.</summary>
    public bool IsByDigest => Names[0].Contains('@', StringComparison.Ordinal);

    /// <summary>What the names mean: with an index, that index, so that <c>repo@sha256:...</c> of pods is the image's.</summary>
    public Descriptor Target => (Indexes.Count > 0 ? Indexes[0] : Manifest).Descriptor;

    /// <summary>
    /// The names under which the CRI plugin knows a pulled image: by tag, by digest, and by the digest of its config. A tag beside a digest
    /// says nothing: it may mean another image by now.
    /// </summary>
    public static IReadOnlyList<string> NamesOf(ImageReference reference, Digest target, Digest config)
    {
        var repository = $"{reference.Registry}/{reference.Repository}";
        string?[] names = [reference is { Tag: { } tag, Digest: null } ? $"{repository}:{tag}" : null, $"{repository}@{target}", config.ToString()];
        return [.. names.OfType<string>()];
    }
}
