using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace CimConvert.TestKit.Images;

/// <summary>An OCI image layout on disk: blobs by digest, and an index of what they are.</summary>
internal sealed class OciLayout
{
    private const string RefNameAnnotation = "org.opencontainers.image.ref.name";

    private readonly string root;

    private OciLayout(string root)
    {
        this.root = root;
    }

    private string IndexPath => Path.Combine(root, "index.json");

    public static OciLayout Open(string directory)
    {
        OciLayout layout = new(directory);
        Directory.CreateDirectory(Path.Combine(directory, "blobs", "sha256"));
        if (!File.Exists(layout.IndexPath))
        {
            File.WriteAllText(Path.Combine(directory, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
            File.WriteAllText(layout.IndexPath, """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}""");
        }

        return layout;
    }

    public string BlobPath(string digest) => Path.Combine(root, "blobs", "sha256", digest["sha256:".Length..]);

    /// <summary>Writes a blob whose name is known only when it is whole.</summary>
    public (string Digest, long Size) AddBlob(Action<Stream> write)
    {
        string unfinished = Path.Combine(root, "blobs", "unfinished");
        string digest;
        long size;
        using (FileStream file = File.Create(unfinished))
        using (IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            write(new HashingStream(file, hash));
            digest = Digests.Text(hash.GetHashAndReset());
            size = file.Length;
        }

        File.Move(unfinished, BlobPath(digest), overwrite: true);
        return (digest, size);
    }

    public (string Digest, long Size) AddJson(JsonNode json) => AddBlob(blob =>
    {
        using System.Text.Json.Utf8JsonWriter writer = new(blob);
        json.WriteTo(writer);
    });

    /// <summary>Replaces a blob by its beginning, under the beginning's own digest.</summary>
    public (string Digest, long Size) CutBlob(string digest, long size)
    {
        string path = BlobPath(digest);
        using (FileStream file = new(path, FileMode.Open))
        {
            file.SetLength(size);
        }

        string cut = Digests.OfFile(path);
        File.Move(path, BlobPath(cut), overwrite: true);
        return (cut, size);
    }

    public void AddToIndex(JsonObject descriptor, string refName)
    {
        JsonNode index = JsonNode.Parse(File.ReadAllText(IndexPath))!;
        JsonArray manifests = index["manifests"]!.AsArray();
        for (int i = manifests.Count - 1; i >= 0; i--)
        {
            if ((string?)manifests[i]!["annotations"]?[RefNameAnnotation] == refName)
            {
                manifests.RemoveAt(i);
            }
        }

        descriptor["annotations"] = new JsonObject { [RefNameAnnotation] = refName };
        manifests.Add(descriptor);
        File.WriteAllText(IndexPath, index.ToJsonString());
    }
}
