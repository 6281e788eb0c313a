using CimConvert.Registry.Hosts;

namespace CimConvert.Registry.Http;

/// <summary>What the client tells its handlers about a request, and they tell it.</summary>
internal static class RequestOptions
{
    /// <summary>The host whose connection settings and headers to use; none for URLs outside any registry.</summary>
    public static readonly HttpRequestOptionsKey<RegistryHost> Host = new("cimconvert.host");

    /// <summary>For the authentication handler: the permission that the request needs.</summary>
    public static readonly HttpRequestOptionsKey<RepositoryScope> Scope = new("cimconvert.scope");

    /// <summary>For <see cref="RetryHandler"/>: read the whole body, at most this many bytes, as part of the attempt.</summary>
    public static readonly HttpRequestOptionsKey<int> BufferedBytes = new("cimconvert.buffered-bytes");

    /// <summary>For <see cref="RetryHandler"/>: the sender limits the time itself, because a body may take long to send.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsTimed = new("cimconvert.is-timed");

    /// <summary>For <see cref="RetryHandler"/>: where to count retries.</summary>
    public static readonly HttpRequestOptionsKey<TransferCount> Count = new("cimconvert.count");

    /// <summary>From <see cref="RedirectHandler"/>: the last URL requested, for errors that name a host.</summary>
    public static readonly HttpRequestOptionsKey<Uri> Reached = new("cimconvert.reached");
}

/// <summary>The permission that a request needs. A request without a scope is sent without credentials.</summary>
/// <param name="Registry">Host and port as in an image reference; the key of the credentials.</param>
/// <param name="Repository">The repository to pull from or push to.</param>
/// <param name="Push">Whether to ask for push access, too. Asked for only when needed: not everyone who may pull has it.</param>
internal sealed record RepositoryScope(string Registry, string Repository, bool Push = false)
{
    /// <summary>The scope of a token request: type, name and actions (distribution.github.io, "Token Scope Documentation").</summary>
    public string Token => $"repository:{Repository}:{(Push ? "pull,push" : "pull")}";
}
