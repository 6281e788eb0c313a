using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CimConvert.Registry.Hosts;

namespace CimConvert.Registry.Http;

/// <summary>Reads certificates and keys from PEM files.</summary>
internal static class CertificateFiles
{
    /// <summary>A system's whole certificate bundle has a few hundred KiB.</summary>
    private const int MaxBytes = 4 << 20;

    /// <exception cref="InvalidDataException">The file cannot be read, or contains no certificate.</exception>
    public static X509Certificate2Collection ReadAuthorities(string path)
    {
        var certificates = ReadCertificates(path, "certificate authority");
        return certificates.Count > 0 ? certificates : throw new InvalidDataException($"certificate authority {path} has no PEM certificate");
    }

    /// <returns>The client certificate with its key, then the other certificates of the file: its chain.</returns>
    /// <exception cref="InvalidDataException">A file cannot be read, or is invalid. The message does not quote keys.</exception>
    public static X509Certificate2Collection ReadClient(ClientCertificateFiles files)
    {
        const string what = "client certificate";
        var all = ReadCertificates(files.Certificate, what);
        if (all.Count == 0)
        {
            throw new InvalidDataException($"{what} {files.Certificate} has no PEM certificate");
        }

        var keyFile = files.Key ?? files.Certificate;
        var key = ReadText(keyFile, "key of the client certificate");
        try
        {
            using var pair = X509Certificate2.CreateFromPem(all[0].ExportCertificatePem(), key);

            // SChannel cannot use ephemeral keys (https://github.com/dotnet/runtime/issues/23749); importing a PKCS #12 makes the key usable.
            all[0] = X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), password: null);
            return all;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"{what} {files.Certificate}: {keyFile} has no unencrypted PEM key that fits it", e);
        }
    }

    private static X509Certificate2Collection ReadCertificates(string path, string what)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(ReadText(path, what));
            return certificates;
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"{what} {path} has a certificate that cannot be read", e);
        }
    }

    private static string ReadText(string path, string what)
    {
        try
        {
            return new FileInfo(path).Length <= MaxBytes
                ? File.ReadAllText(path)
                : throw new InvalidDataException($"{what} {path} has more than the {MaxBytes} bytes allowed");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"cannot read {what} {path}: {e.Message}", e);
        }
    }
}
