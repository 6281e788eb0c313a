using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CimConvert.TestKit.Servers;

/// <summary>A certificate authority nobody trusts by itself, and what it vouches for, as PEM files in a folder of the test's.</summary>
public sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Begin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Expiry = Begin.AddYears(1);
    private static readonly DateTimeOffset End = Begin.AddYears(60);

    private readonly TempFolder folder;
    private readonly X509Certificate2 self;
    private int issued;

    /// <param name="files">Where the files go.</param>
    /// <param name="name">The authority's, and the start of its files' names.</param>
    public TestAuthority(TempFolder files, string name = "authority")
    {
        folder = files;
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        self = request.CreateSelfSigned(Begin, End);
        CertificatePath = folder[name + ".crt"];
        File.WriteAllText(CertificatePath, self.ExportCertificatePem());
    }

    /// <summary>The authority's own certificate, to trust.</summary>
    public string CertificatePath { get; }

    /// <summary>A server's certificate for names and IP addresses.</summary>
    public TestCertificate Server(params string[] names) => Issue("server", "1.3.6.1.5.5.7.3.1", End, names);

    /// <summary>A server's certificate that has run out.</summary>
    public TestCertificate ExpiredServer(params string[] names) => Issue("expired", "1.3.6.1.5.5.7.3.1", Expiry, names);

    public TestCertificate Client(string name) => Issue(name, "1.3.6.1.5.5.7.3.2", End, []);

    public void Dispose() => self.Dispose();

    private TestCertificate Issue(string name, string use, DateTimeOffset end, string[] alternativeNames)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(self, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (alternativeNames.Length > 0)
        {
            request.CertificateExtensions.Add(NamesOf(alternativeNames));
        }

        int serial = Interlocked.Increment(ref issued);
        using X509Certificate2 issuedOne = request.Create(self, Begin, end, [1, (byte)serial]);
        using X509Certificate2 withKey = issuedOne.CopyWithPrivateKey(key);
        string file = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(CertificatePath)}-{name}-{serial}");
        File.WriteAllText(folder[file + ".cert"], withKey.ExportCertificatePem());
        File.WriteAllText(folder[file + ".key"], key.ExportPkcs8PrivateKeyPem());
        return new TestCertificate(
            folder[file + ".cert"], folder[file + ".key"], X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), password: null));
    }

    private static X509Extension NamesOf(string[] names)
    {
        SubjectAlternativeNameBuilder builder = new();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out IPAddress? address))
            {
                builder.AddIpAddress(address);
            }
            else
            {
                builder.AddDnsName(name);
            }
        }

        return builder.Build();
    }
}

/// <summary>A certificate and its key: as PEM files for other programs, and in memory for this one.</summary>
public sealed record TestCertificate(string CertificatePath, string KeyPath, X509Certificate2 Certificate) : IDisposable
{
    public void Dispose() => Certificate.Dispose();
}
