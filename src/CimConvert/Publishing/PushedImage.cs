using System.Net;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Pull;

namespace CimConvert.Publishing;

/// <summary>The image that a registry has under the reference we push to. Machines without a common store see there what is done.</summary>
internal sealed class PushedImage(RegistryClient registry, ImageReference target)
{
    /// <summary>Whether it is a conversion of this source, built with the same options.</summary>
    /// <param name="source">The digest of the source's manifest.</param>
    /// <param name="form">The form that a conversion would give it.</param>
    /// <param name="withSubject">Whether the manifest would have the source's manifest as its subject.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="RegistryException">The request fails.</exception>
    public async Task<bool> IsConversionOfAsync(Digest source, ConvertedForm form, bool withSubject, CancellationToken cancellationToken)
    {
        try
        {
            var content = ConvertedContent.Read(await registry.GetManifestAsync(target, cancellationToken));
            return content.Source == source && content.Form == form && content.Subject is not null == withSubject;
        }
        catch (RegistryException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
        catch (InvalidDataException)
        {
            // Not one of our manifests, or one of an earlier version: whether it may be replaced is not decided here.
            return false;
        }
    }
}
