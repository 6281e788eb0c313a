using System.Text.Json.Nodes;

namespace CimConvert.TestKit.Images;

/// <summary>One reference name for several images, one per platform: an image index in the layout of its images.</summary>
public sealed class IndexBuilder
{
    private const string MediaType = "application/vnd.oci.image.index.v1+json";

    private readonly List<ImageBuilder> images = [];

    public IndexBuilder Image(ImageBuilder image)
    {
        images.Add(image);
        return this;
    }

    /// <summary>Writes the images, each under <c>REFNAME-N</c>, and the index over them; gives the images and the index's digest.</summary>
    public (string IndexDigest, IReadOnlyList<OciImage> Images) WriteTo(string directory, string refName = "latest")
    {
        List<OciImage> written = [.. images.Select((image, i) => image.WriteTo(directory, FormattableString.Invariant($"{refName}-{i}")))];
        OciLayout layout = OciLayout.Open(directory);
        JsonArray manifests = [];
        foreach ((ImageBuilder image, OciImage result) in images.Zip(written))
        {
            long size = new FileInfo(result.BlobPath(result.ManifestDigest)).Length;
            JsonObject descriptor = ImageBuilder.Descriptor(OciImage.ManifestMediaType, result.ManifestDigest, size);
            descriptor["platform"] = image.Platform();
            manifests.Add(descriptor);
        }

        (string digest, long length) = layout.AddJson(
            new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaType, ["manifests"] = manifests });
        layout.AddToIndex(ImageBuilder.Descriptor(MediaType, digest, length), refName);
        return (digest, written);
    }
}
