using CimConvert.Registry.Auth;
using CimConvert.Registry.Hosts;

namespace CimConvert.Registry.Http;

/// <summary>What the client tells its handlers about a request.</summary>
internal static class RequestOptions
{
    /// <summary>Whose settings and headers to use; none for what lies outside any registry.</summary>
    public static readonly HttpRequestOptionsKey<RegistryHost> Host = new("cimconvert.host");

    /// <summary>For <see cref="AuthenticationHandler"/>: whose credentials to use.</summary>
    public static readonly HttpRequestOptionsKey<RepositoryScope> Scope = new("cimconvert.scope");

    /// <summary>For <see cref="RetryHandler"/>: read the whole answer, at most so many bytes, as part of the attempt.</summary>
    public static readonly HttpRequestOptionsKey<int> BufferedBytes = new("cimconvert.buffered-bytes");

    /// <summary>For <see cref="RetryHandler"/>: the sender watches the time itself, since a body may take long to send.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsTimed = new("cimconvert.is-timed");

    /// <summary>For <see cref="RetryHandler"/>: who counts its retries.</summary>
    public static readonly HttpRequestOptionsKey<TransferCount> Count = new("cimconvert.count");

    /// <summary>From <see cref="RedirectHandler"/>: where the request has got to, for errors that name a host.</summary>
    public static readonly HttpRequestOptionsKey<Uri> Reached = new("cimconvert.reached");
}
