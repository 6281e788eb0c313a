namespace CimConvert.Registry;

/// <summary>How registries are talked to. One set serves one client and every registry it meets.</summary>
internal sealed record RegistryOptions
{
    /// <summary>
    /// Talk HTTP instead of HTTPS, to whatever registry is named (<c>--plain-http</c>). Without it HTTPS is spoken, and HTTP only
    /// with a registry on this machine that answers HTTPS with something else than TLS, and where a hosts.toml says so.
    /// </summary>
    public bool PlainHttp { get; init; }

    /// <summary>Folders with a folder for each registry, for its mirrors and certificates as containerd has them; the first that knows a registry decides.</summary>
    public IReadOnlyList<string> HostsFolders { get; init; } = [];

    /// <summary>A folder of certificates for all registries and mirrors: authorities in *.crt, client certificates in *.cert and *.key.</summary>
    public string? CertificateFolder { get; init; }

    /// <summary>How many requests one host is asked at once; a blob counts until the last of it has come.</summary>
    public int MaxRequestsPerHost { get; init; } = 8;

    /// <summary>Where user names and passwords come from; null pulls anonymously.</summary>
    public ICredentialSource? Credentials { get; init; }

    public string UserAgent { get; init; } = "cimconvert/" + typeof(RegistryOptions).Assembly.GetName().Version!.ToString(3);

    /// <summary>To reach the host, TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Until an answer's headers are there; for manifests and tokens, until the whole answer is.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A blob's connection from which no byte came for so long counts as broken.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Until an upload is acknowledged once its last byte is sent: registries on object storage copy the whole blob then.</summary>
    public TimeSpan CommitTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Bytes of a blob that are sent in one request; a blob no larger takes a single one. Proxies limit a request's size, 100 MB being the
    /// lowest limit in wide use, and not every registry keeps what came of a broken request.
    /// </summary>
    public long UploadChunk { get; init; } = 32 << 20;

    /// <summary>How often one thing is tried before it has failed; a blob that got further starts counting again.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>The pause before the second attempt; it doubles from there, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>No pause is longer. A registry that asks for more (Retry-After) is given up on instead.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
