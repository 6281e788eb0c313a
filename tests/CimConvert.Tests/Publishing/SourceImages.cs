using System.Text;
using CimConvert.Oci;
using CimConvert.Registry.Pull;
using CimConvert.Sources;

namespace CimConvert.Tests.Publishing;

/// <summary>Source images as converted manifests speak of them: no registry has them.</summary>
internal static class SourceImages
{
    public const string Created = "2026-01-31T12:00:00.123456789Z";

    /// <param name="content">What the manifest's digest is of.</param>
    /// <param name="osVersion">The version of Windows.</param>
    /// <param name="mediaType">The manifest's.</param>
    /// <param name="diffIds">The layers'.</param>
    public static ResolvedImage Make(
        string content, string osVersion = "10.0.20348.2700", string mediaType = MediaTypes.OciManifest, params IReadOnlyList<Digest> diffIds)
    {
        var config = Encoding.UTF8.GetBytes($$$"""
            {"created":"{{{Created}}}","os":"windows","architecture":"amd64","os.version":"{{{osVersion}}}","rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', diffIds.Select(id => $"\"{id}\""))}}}]}}
            """);
        var bytes = Encoding.UTF8.GetBytes(content);
        var manifest = new ImageManifest { SchemaVersion = 2, Config = Descriptor.Of(MediaTypes.OciConfig, config), Layers = [] };
        return new ResolvedImage(
            "registry.example.com/team/app:v1", [new FetchedManifest(Descriptor.Of(mediaType, bytes), bytes)], manifest, config, ImageConfig.Parse(config, diffIds.Count));
    }
}
