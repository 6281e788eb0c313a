using CimConvert.Oci;

namespace CimConvert.Containerd;

/// <summary>The labels of an image's documents: the same that containerd gives when it pulls (core/images/handlers.go, core/unpack).</summary>
internal static class DocumentLabels
{
    /// <summary>Config, manifest and indexes, in the order in which they are written.</summary>
    public static IEnumerable<(RegisteredDocument Document, Dictionary<string, string> Labels)> Of(ImageToRegister image)
    {
        var config = Source(image);
        config.Add(ContainerdLabels.SnapshotOf(image.Snapshotter.Name), image.Top.ToString());
        yield return (image.Config, config);

        var manifest = Source(image);
        manifest.Add(ContainerdLabels.ConfigRef, image.Config.Descriptor.Digest.ToString());
        var layers = ImageManifest.Parse(image.Manifest.Bytes.Span, image.Manifest.Descriptor.MediaType).Layers;
        for (var i = 0; i < layers.Count; i++)
        {
            manifest.Add(ContainerdLabels.LayerRef(i), layers[i].Digest.ToString());
        }

        yield return (image.Manifest, manifest);

        foreach (var document in image.Indexes.Reverse())
        {
            var index = Source(image);
            var entries = ImageIndex.Parse(document.Bytes.Span, document.Descriptor.MediaType).Manifests;
            for (var i = 0; i < entries.Count; i++)
            {
                index.Add(ContainerdLabels.ManifestRef(i), entries[i].Digest.ToString());
            }

            yield return (document, index);
        }
    }

    /// <summary>
    /// With the repositories that content came from before: the label has them all (containerd, core/remotes/docker/handler.go,
    /// appendDistributionSourceLabel). Where they do not fit, they stay as they are.
    /// </summary>
    public static Dictionary<string, string> Joined(Dictionary<string, string> wanted, IDictionary<string, string> there, ImageToRegister image)
    {
        var key = ContainerdLabels.SourceOf(image.Host);
        if (!there.TryGetValue(key, out var before) || before.Length == 0)
        {
            return wanted;
        }

        var all = before.Split(',');
        var joined = all.Contains(image.Repository) ? before : string.Join(',', all.Append(image.Repository).Order(StringComparer.Ordinal));
        var fits = key.Length + joined.Length <= ContainerdLabels.MaxSize;
        return new Dictionary<string, string>(wanted, StringComparer.Ordinal) { [key] = fits ? joined : before };
    }

    private static Dictionary<string, string> Source(ImageToRegister image) =>
        new(StringComparer.Ordinal) { [ContainerdLabels.SourceOf(image.Host)] = image.Repository };
}
