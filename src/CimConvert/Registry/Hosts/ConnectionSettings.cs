namespace CimConvert.Registry.Hosts;

/// <summary>A client certificate and its private key, in PEM.</summary>
/// <param name="Certificate">Path of the certificate, followed by any intermediate ones.</param>
/// <param name="Key">Path of the key; null if it is in the certificate's file.</param>
internal sealed record ClientCertificateFiles(string Certificate, string? Key);

/// <summary>How to connect to a host. Hosts with the same settings share a connection pool.</summary>
internal sealed record ConnectionSettings
{
    public static ConnectionSettings Default { get; } = new();

    /// <summary>Paths of PEM files with authorities to trust in addition to the system's.</summary>
    public IReadOnlyList<string> Authorities { get; init; } = [];

    public IReadOnlyList<ClientCertificateFiles> ClientCertificates { get; init; } = [];

    /// <summary>Accept any server certificate.</summary>
    public bool SkipVerify { get; init; }

    /// <summary>Limits connecting to the host; null for the client's default.</summary>
    public TimeSpan? ConnectTimeout { get; init; }

    /// <summary>Equal for equal settings; records that contain lists compare them by reference.</summary>
    public string Key => string.Join(
        '\0',
        [
            SkipVerify.ToString(),
            ConnectTimeout?.ToString() ?? string.Empty,
            .. Authorities,
            string.Empty,
            .. ClientCertificates.SelectMany(pair => new[] { pair.Certificate, pair.Key ?? string.Empty }),
        ]);

    /// <summary>These settings with additional certificates.</summary>
    public ConnectionSettings With(ConnectionSettings more) => this with
    {
        Authorities = [.. Authorities, .. more.Authorities],
        ClientCertificates = [.. ClientCertificates, .. more.ClientCertificates],
    };
}
