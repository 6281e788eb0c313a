using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CimConvert.TestKit.Servers;

/// <summary>What stands between the clients and the server behind.</summary>
public sealed record NginxSettings
{
    /// <summary>The server's, to speak TLS and HTTP/2 with; null for plain HTTP.</summary>
    public TestCertificate? Certificate { get; init; }

    /// <summary>An authority's certificate file, one of whose certificates every client must have; null for any client.</summary>
    public string? ClientAuthority { get; init; }

    /// <summary>The login everyone needs; null for none.</summary>
    public (string User, string Password)? Login { get; init; }

    /// <summary>Bytes per second of each answer, as nginx writes them (<c>500k</c>).</summary>
    public string? Rate { get; init; }
}

/// <summary>Debian's nginx before a plain HTTP server, on a loopback port of its own, with files that go with it.</summary>
public sealed class Nginx : IAsyncDisposable
{
    private const int Attempts = 5;

    private readonly TempFolder files = new("cimconvert-nginx-");
    private readonly string program;
    private readonly string upstream;
    private ExternalProcess? server;

    private Nginx(string path, string behind)
    {
        program = path;
        upstream = behind;
    }

    /// <summary><c>127.0.0.1:PORT</c></summary>
    public string Host { get; private set; } = "";

    /// <param name="behind">Host and port of the server behind.</param>
    /// <param name="settings">What stands before it.</param>
    public static async Task<Nginx> StartAsync(string behind, NginxSettings settings)
    {
        Nginx nginx = new(Tools.Require("nginx"), behind);
        try
        {
            // Another process may take a free port before nginx does; then nginx ends, and another port is tried.
            for (int attempt = 1; ; attempt++)
            {
                nginx.Host = FreePort();
                if (await nginx.TryRunAsync(settings).ConfigureAwait(false))
                {
                    return nginx;
                }

                if (attempt == Attempts)
                {
                    throw new InvalidOperationException($"nginx does not start:\n{nginx.server!.Error}");
                }
            }
        }
        catch
        {
            await nginx.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Cuts all connections as they are, and serves on the same port again.</summary>
    public async Task RestartAsync(NginxSettings settings)
    {
        await server!.DisposeAsync().ConfigureAwait(false);
        if (!await TryRunAsync(settings).ConfigureAwait(false))
        {
            throw new InvalidOperationException($"nginx does not start again:\n{server.Error}");
        }
    }

    /// <summary>The requests that were answered, a line each: method, path, protocol and status.</summary>
    public async Task<IReadOnlyList<string>> RequestsAsync() => await File.ReadAllLinesAsync(files["access.log"]).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync().ConfigureAwait(false);
        }

        files.Dispose();
    }

    private async Task<bool> TryRunAsync(NginxSettings settings)
    {
        if (settings.Login is { } login)
        {
            await File.WriteAllTextAsync(files["users"], $"{login.User}:{{PLAIN}}{login.Password}\n").ConfigureAwait(false);
        }

        await File.WriteAllTextAsync(files["nginx.conf"], Configuration(settings)).ConfigureAwait(false);
        server = ExternalProcess.Start(program, ["-e", "stderr", "-c", files["nginx.conf"], "-p", files.Path]);
        while (!server.HasExited)
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPEndPoint.Parse(Host)).ConfigureAwait(false);
                return true;
            }
            catch (SocketException)
            {
                await Task.Delay(10).ConfigureAwait(false);
            }
        }

        return false;
    }

    private static string FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    private string Configuration(NginxSettings settings)
    {
        string tls = settings.Certificate is { } certificate
            ? $"ssl_certificate {certificate.CertificatePath}; ssl_certificate_key {certificate.KeyPath};"
            : "";
        string clients = settings.ClientAuthority is { } authority ? $"ssl_client_certificate {authority}; ssl_verify_client on;" : "";
        string login = settings.Login is null ? "" : $"auth_basic kit; auth_basic_user_file {files["users"]};";
        string rate = settings.Rate is null ? "" : $"limit_rate {settings.Rate};";

        // As root, workers would be of a user that may not read the test's files.
        string user = Environment.IsPrivilegedProcess ? "user root;" : "";
        return $$"""
            {{user}}
            daemon off;
            worker_processes 1;
            pid {{files["nginx.pid"]}};
            events { worker_connections 256; }
            http {
              log_format kit '$request $status';
              access_log {{files["access.log"]}} kit;
              client_body_temp_path {{files["body"]}};
              proxy_temp_path {{files["proxy"]}};
              fastcgi_temp_path {{files["fastcgi"]}};
              uwsgi_temp_path {{files["uwsgi"]}};
              scgi_temp_path {{files["scgi"]}};
              client_max_body_size 0;
              server {
                listen {{Host}} {{(tls.Length > 0 ? "ssl http2" : "")}};
                {{tls}} {{clients}}
                location / {
                  {{login}} {{rate}}
                  proxy_pass http://{{upstream}};
                  proxy_http_version 1.1;
                  proxy_set_header Host $http_host;
                  proxy_set_header Authorization "";
                }
              }
            }

            """;
    }
}
