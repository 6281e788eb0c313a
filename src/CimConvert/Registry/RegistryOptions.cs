using System.Reflection;

namespace CimConvert.Registry;

/// <summary>How to talk to registries. One set of options serves one client and every registry it talks to.</summary>
internal sealed record RegistryOptions
{
    /// <summary>
    /// Use HTTP instead of HTTPS for all registries (<c>--plain-http</c>). Otherwise HTTP is used only where a hosts.toml says so,
    /// and for a registry on this machine that does not speak TLS.
    /// </summary>
    public bool PlainHttp { get; init; }

    /// <summary>
    /// Folders with one folder per registry for its mirrors and certificates (containerd, docs/hosts.md). The first that has a folder
    /// for a registry is used.
    /// </summary>
    public IReadOnlyList<string> HostsFolders { get; init; } = [];

    /// <summary>Certificates for all registries and mirrors: authorities in *.crt, client certificates in *.cert and *.key.</summary>
    public string? CertificateFolder { get; init; }

    /// <summary>Concurrent requests per host; a blob counts until its body is read.</summary>
    public int MaxRequestsPerHost { get; init; } = 8;

    /// <summary>User names and passwords; null pulls anonymously.</summary>
    public ICredentialSource? Credentials { get; init; }

    public string UserAgent { get; init; } = "cimconvert/" + Version;

    /// <summary>Without the commit, which says nothing to a registry.</summary>
    private static string Version =>
        typeof(RegistryOptions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Limits connecting to a host, TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Limits the wait for response headers; for manifests and tokens, the wait for the whole response.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A blob's connection counts as broken after this long without a byte.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Limits the wait for a registry to acknowledge an upload after its last byte: registries on object storage may copy the whole blob
    /// then.
    /// </summary>
    public TimeSpan CommitTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Bytes of a blob per upload request; a smaller blob takes one request. Proxies limit the size of requests (100 MB is the lowest
    /// limit in wide use), and not every registry keeps the data of a broken request.
    /// </summary>
    public long UploadChunk { get; init; } = 32 << 20;

    /// <summary>Attempts before an operation fails. Progress of a transfer resets the count.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>The pause before the second attempt. It doubles with each attempt, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause. An operation fails if the registry asks for a longer one (Retry-After).</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
