using System.Net;
using CimConvert.Cims;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Pull;

namespace CimConvert.Publishing;

/// <summary>What a registry holds under the name that an image is pushed to: the state that machines without a common store share.</summary>
internal sealed class PushedImage(RegistryClient registry, ImageReference target)
{
    /// <summary>Whether it is the conversion of this very source, made the way it is wanted now.</summary>
    /// <param name="source">The digest of the source's manifest.</param>
    /// <param name="backend">Who would write the layers.</param>
    /// <param name="how">How.</param>
    /// <param name="withSubject">Whether it is to refer to the source.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="RegistryException">The registry cannot be asked.</exception>
    public async Task<bool> IsConversionOfAsync(
        Digest source, string backend, BlockCimOptions how, bool withSubject, CancellationToken cancellationToken)
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
                && manifest.Layers.All(layer => IsMadeSo(layer, backend, how));
        }
        catch (InvalidDataException)
        {
            // Whatever it is, it is no conversion of ours: the push replaces it.
            return false;
        }
    }

    private static bool IsMadeSo(Descriptor layer, string backend, BlockCimOptions how) =>
        layer.MediaType is MediaTypes.ConvertedLayer or MediaTypes.ConvertedMerged
        && layer.Annotations is { } annotations
        && annotations.GetValueOrDefault(ConvertedAnnotations.Backend) == backend
        && annotations.GetValueOrDefault(ConvertedAnnotations.VhdFooter) == (how.VhdFooter ? "true" : "false")
        && annotations.ContainsKey(ConvertedAnnotations.IntegrityRoot) == how.Integrity;
}
