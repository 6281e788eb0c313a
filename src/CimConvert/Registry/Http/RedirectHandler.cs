using System.Net;

namespace CimConvert.Registry.Http;

/// <summary>
/// Follows redirects, which registries use to serve blobs from a storage service. <see cref="SocketsHttpHandler"/> would not do: the
/// registry's credentials and headers must not be sent to another host, and HTTPS must not become HTTP.
/// </summary>
internal sealed class RedirectHandler : DelegatingHandler
{
    /// <summary>Go's default (https://pkg.go.dev/net/http#Client, CheckRedirect); registries need one or two.</summary>
    public const int MaxRedirects = 10;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var current = request;
        for (var hops = 0; ; hops++)
        {
            request.Options.Set(RequestOptions.Reached, current.RequestUri!);
            var response = await base.SendAsync(current, cancellationToken);
            if (!IsRedirect(response.StatusCode) || response.Headers.Location is null)
            {
                return response;
            }

            using (response)
            {
                var target = TargetOf(current.RequestUri!, response.Headers.Location);
                if (hops == MaxRedirects)
                {
                    throw new RegistryException(
                        $"{request.RequestUri!.Authority} redirects more than {MaxRedirects} times, last to {target.Authority}; check the registry's storage settings");
                }

                // Not disposed: it has no content of its own, and the returned response refers to it.
                current = Follow(current, target);
            }
        }
    }

    private static bool IsRedirect(HttpStatusCode status) => status
        is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private static Uri TargetOf(Uri from, Uri location)
    {
        if (!Uri.TryCreate(from, location, out var target))
        {
            throw new RegistryException($"{from.Authority} redirects to an invalid URL: '{Printable.Of(location.OriginalString)}'");
        }

        if (target.Scheme == Uri.UriSchemeHttps || (target.Scheme == Uri.UriSchemeHttp && from.Scheme == Uri.UriSchemeHttp))
        {
            return target;
        }

        throw new RegistryException($"{from.Authority} redirects to {target.Scheme}://{target.Authority}, which is not secure; refused");
    }

    private static HttpRequestMessage Follow(HttpRequestMessage from, Uri target)
    {
        if (from.Method != HttpMethod.Get && from.Method != HttpMethod.Head)
        {
            throw new RegistryException($"{from.RequestUri!.Authority} redirects a {from.Method} request, which is not followed");
        }

        var next = new HttpRequestMessage(from.Method, target) { Version = from.Version, VersionPolicy = from.VersionPolicy };
        foreach (var (name, values) in from.Headers)
        {
            next.Headers.TryAddWithoutValidation(name, values);
        }

        // A header removed here stays removed: the next hop copies from this request. The Host header named the old host.
        next.Headers.Host = null;
        if (IsSameOrigin(from.RequestUri!, target))
        {
            KeepHost(from, next);
        }
        else
        {
            next.Headers.Authorization = null;
            foreach (var (name, _) in from.Options.TryGetValue(RequestOptions.Host, out var host) ? host.Headers : [])
            {
                next.Headers.Remove(name);
            }
        }

        return next;
    }

    /// <summary>The next hop may leave the host, and must then know which headers to remove.</summary>
    private static void KeepHost(HttpRequestMessage from, HttpRequestMessage next)
    {
        if (from.Options.TryGetValue(RequestOptions.Host, out var host))
        {
            next.Options.Set(RequestOptions.Host, host);
        }
    }

    internal static bool IsSameOrigin(Uri left, Uri right) =>
        left.Scheme == right.Scheme && left.Port == right.Port && string.Equals(left.Host, right.Host, StringComparison.OrdinalIgnoreCase);
}
