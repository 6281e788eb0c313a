using Converter.Core.Oci;

namespace Converter.Core.Registry;

/// <summary>The URLs of one repository (distribution spec, "Endpoints").</summary>
internal sealed class RegistryEndpoint
{
    /// <summary>The API of <c>docker.io</c> lives elsewhere (docker, registry/config.go).</summary>
    public const string DockerHubHost = "registry-1.docker.io";

    private readonly Uri _repository;

    public RegistryEndpoint(ImageReference reference, bool plainHttp)
    {
        var host = reference.Registry is ImageReference.DockerHub ? DockerHubHost : reference.Registry;
        _repository = new Uri($"{(plainHttp ? Uri.UriSchemeHttp : Uri.UriSchemeHttps)}://{host}/v2/{reference.Repository}/");
    }

    public Uri Manifest(string tagOrDigest) => new(_repository, $"./manifests/{tagOrDigest}");

    public Uri Blob(Digest digest) => new(_repository, $"./blobs/{digest}");
}
