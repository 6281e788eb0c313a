using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CimConvert.Registry.Http;

/// <summary>Validates a server's certificate against the system's trusted authorities and additional ones.</summary>
/// <param name="authorities">Additional trusted authorities.</param>
/// <param name="skipVerify">Accept any certificate, or none (<c>skip_verify</c> in hosts.toml).</param>
internal sealed class ServerTrust(X509Certificate2Collection authorities, bool skipVerify)
{
    /// <summary>id-kp-serverAuth: TLS server authentication (RFC 5280, 4.2.1.12).</summary>
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>A <see cref="RemoteCertificateValidationCallback"/>.</summary>
    /// <exception cref="ServerCertificateException">The certificate is not trusted. Thrown because the return value cannot say why.</exception>
    public bool Validate(object _, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || skipVerify)
        {
            return true;
        }

        if (certificate is not X509Certificate2 server || chain is null)
        {
            throw new ServerCertificateException("it sent no certificate");
        }

        // The chain is built even if the name does not match, so that the error names the real problem: the authority or only the name.
        var reason = errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? FindProblem(server, chain) : null;
        if (reason is not null)
        {
            throw new ServerCertificateException(reason);
        }

        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? throw new ServerCertificateException(
                $"its certificate ({Printable.Of(server.Subject)}) is for other names; use one of the names it is for, or skip_verify in hosts.toml")
            : true;
    }

    private string? FindProblem(X509Certificate2 server, X509Chain bySystem)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.ExtraStore.AddRange(bySystem.ChainPolicy.ExtraStore);
        chain.ChainPolicy.ExtraStore.AddRange(authorities);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        chain.ChainPolicy.DisableCertificateDownloads = true;
        var trusted = chain.Build(server);
        foreach (var element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return trusted ? null : Describe(server, AllOf(chain));
    }

    private static string Describe(X509Certificate2 server, X509ChainStatusFlags status)
    {
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            return $"its certificate, or one that vouches for it, is not valid now ({Printable.Of(server.Subject)}: from {server.NotBefore:u} to {server.NotAfter:u})";
        }

        return (status & (X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot)) != 0
            ? $"its certificate is vouched for by '{Printable.Of(server.Issuer)}', which is not trusted here; give that authority's certificate "
                + "as a *.crt file with --cert-dir, or as 'ca' in hosts.toml"
            : $"its certificate ({Printable.Of(server.Subject)}) cannot be used: {status}";
    }

    private static X509ChainStatusFlags AllOf(X509Chain chain) => chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
}

/// <summary>A server's certificate is not trusted; the message says why and what to do.</summary>
internal sealed class ServerCertificateException(string message) : AuthenticationException(message);
