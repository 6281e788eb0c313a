using System.Net;
using CimConvert.Cims;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Pull;

namespace CimConvert.Publishing;

/// <summary>The image that a registry has under the reference we push to. Machines without a common store see there what is done.</summary>
internal sealed class PushedImage(RegistryClient registry, ImageReference target)
{
    /// <summary>Whether it is a conversion of this source, built with the same options.</summary>
    /// <param name="source">The digest of the source's manifest.</param>
    /// <param name="backend">The back end that would write the layers.</param>
    /// <param name="options">The options that would be used.</param>
    /// <param name="withSubject">Whether the manifest would have the source's manifest as its subject.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="RegistryException">The request fails.</exception>
    public async Task<bool> IsConversionOfAsync(
        Digest source, string backend, BlockCimOptions options, bool withSubject, CancellationToken cancellationToken)
    {
        FetchedManifest fetched;
        try
        {
            fetched = await registry.GetManifestAsync(target, cancellationToken);
        }
        catch (RegistryException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }

        if (!MediaTypes.IsManifest(fetched.Descriptor.MediaType))
        {
            return false;
        }

        try
        {
            var manifest = ImageManifest.Parse(fetched.Bytes.Span, fetched.Descriptor.MediaType);
            return manifest.ArtifactType == MediaTypes.ConvertedImage
                && manifest.Annotations?.GetValueOrDefault(ConvertedAnnotations.SourceDigest) == source.ToString()
                && manifest.Subject is not null == withSubject
                && manifest.Layers.Count > 0
                && manifest.Layers.All(layer => IsBuiltWith(layer, backend, options));
        }
        catch (InvalidDataException)
        {
            // Not one of our manifests: the push replaces it.
            return false;
        }
    }

    private static bool IsBuiltWith(Descriptor layer, string backend, BlockCimOptions options) =>
        layer.MediaType is MediaTypes.ConvertedLayer or MediaTypes.ConvertedMerged
        && layer.Annotations is { } annotations
        && annotations.GetValueOrDefault(ConvertedAnnotations.Backend) == backend
        && annotations.GetValueOrDefault(ConvertedAnnotations.VhdFooter) == (options.VhdFooter ? "true" : "false")
        && annotations.ContainsKey(ConvertedAnnotations.IntegrityRoot) == options.Integrity;
}
