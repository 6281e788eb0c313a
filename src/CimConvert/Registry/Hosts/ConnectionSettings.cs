namespace CimConvert.Registry.Hosts;

/// <summary>A client certificate and its private key, in PEM.</summary>
/// <param name="Certificate">Path of the file with the certificate, and after it any intermediate ones.</param>
/// <param name="Key">Path of the file with the key; null where it is in the certificate's.</param>
internal sealed record ClientCertificateFiles(string Certificate, string? Key);

/// <summary>How a host's connections are made. Hosts of the same settings share connections.</summary>
internal sealed record ConnectionSettings
{
    public static ConnectionSettings Default { get; } = new();

    /// <summary>Paths of PEM files with certificates to trust besides those the system trusts.</summary>
    public IReadOnlyList<string> Authorities { get; init; } = [];

    public IReadOnlyList<ClientCertificateFiles> ClientCertificates { get; init; } = [];

    /// <summary>Take any certificate of the server's.</summary>
    public bool SkipVerify { get; init; }

    /// <summary>To reach the host; null for the client's own.</summary>
    public TimeSpan? ConnectTimeout { get; init; }

    /// <summary>Equal for equal settings, as records with lists in them are not.</summary>
    public string Key => string.Join(
        '\0',
        [
            SkipVerify.ToString(),
            ConnectTimeout?.ToString() ?? string.Empty,
            .. Authorities,
            string.Empty,
            .. ClientCertificates.SelectMany(pair => new[] { pair.Certificate, pair.Key ?? string.Empty }),
        ]);

    /// <summary>These settings, with what the files of a folder add.</summary>
    public ConnectionSettings With(ConnectionSettings more) => this with
    {
        Authorities = [.. Authorities, .. more.Authorities],
        ClientCertificates = [.. ClientCertificates, .. more.ClientCertificates],
    };
}
