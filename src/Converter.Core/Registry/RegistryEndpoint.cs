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

    /// <summary>Where uploads begin; with a repository of the same registry named, one that may make the upload needless.</summary>
    public Uri Uploads(Digest blob, string? mountFrom) => new(
        _repository, mountFrom is null ? "./blobs/uploads/" : $"./blobs/uploads/?mount={Uri.EscapeDataString(blob.ToString())}&from={Uri.EscapeDataString(mountFrom)}");

    public Uri Referrers(Digest subject) => new(_repository, $"./referrers/{subject}");

    public Uri Blob(Digest digest) => new(_repository, $"./blobs/{digest}");
}
