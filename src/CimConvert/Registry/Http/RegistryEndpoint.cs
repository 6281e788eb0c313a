using CimConvert.Oci;
using CimConvert.Registry.Hosts;

namespace CimConvert.Registry.Http;

/// <summary>The URLs of one repository at one host (OCI distribution spec, "Endpoints"), and requests to them.</summary>
internal sealed class RegistryEndpoint
{
    private readonly Uri _repository;
    private readonly string _query;

    public RegistryEndpoint(RegistryHost host, ImageReference reference)
    {
        Host = host;
        Repository = host.RepositoryOf(reference);
        _repository = new Uri(host.Root, $"./{reference.Repository}/");

        // containerd, docs/hosts.md, "Registry Host Namespace": tells a mirror of several registries which one is meant.
        _query = host.IsMirror ? $"?ns={Uri.EscapeDataString(host.Namespace)}" : string.Empty;
    }

    public RegistryHost Host { get; }

    /// <summary>The repository's name in this host's tokens.</summary>
    public string Repository { get; }

    public Uri Manifest(string tagOrDigest) => At($"manifests/{tagOrDigest}");

    public Uri Blob(Digest digest) => At($"blobs/{digest}");

    /// <summary>Where uploads start (OCI distribution spec, "Pushing blobs" and "Mounting a blob from another repository").</summary>
    /// <param name="blob">The blob to upload.</param>
    /// <param name="mountFrom">A repository of the same registry that may have the blob.</param>
    public Uri Uploads(Digest blob, string? mountFrom)
    {
        var uploads = At("blobs/uploads/");
        return mountFrom is null
            ? uploads
            : new Uri($"{uploads}{(uploads.Query.Length > 0 ? '&' : '?')}mount={Uri.EscapeDataString(blob.ToString())}&from={Uri.EscapeDataString(mountFrom)}");
    }

    public Uri Referrers(Digest subject) => At($"referrers/{subject}");

    /// <summary>Another resource of the repository, by its path below it.</summary>
    public Uri At(string path) => new(_repository, $"./{path}{_query}");

    /// <summary>A request with this host's credentials, headers and connections.</summary>
    /// <param name="method">The method.</param>
    /// <param name="uri">A URL of this host.</param>
    /// <param name="push">Whether the request needs permission to push.</param>
    public HttpRequestMessage Request(HttpMethod method, Uri uri, bool push = false)
    {
        var request = new HttpRequestMessage(method, uri);
        request.Options.Set(RequestOptions.Host, Host);
        request.Options.Set(RequestOptions.Scope, new RepositoryScope(Host.Name, Repository, push));
        foreach (var (name, value) in Host.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }
}
