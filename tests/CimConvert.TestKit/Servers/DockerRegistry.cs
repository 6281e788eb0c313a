using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace CimConvert.TestKit.Servers;

/// <summary>Debian's docker-registry on a port of its own, with a storage folder that goes with it.</summary>
public sealed partial class DockerRegistry : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ExternalProcess server;
    private readonly TempFolder files;

    private DockerRegistry(ExternalProcess process, TempFolder folder, string host)
    {
        server = process;
        files = folder;
        Host = host;
    }

    /// <summary><c>127.0.0.1:PORT</c>, speaking plain HTTP.</summary>
    public string Host { get; }

    public Uri Address => new($"http://{Host}/");

    /// <summary>Where the registry keeps its blobs: what a test may damage behind its back.</summary>
    public string StoragePath => files["storage"];

    /// <param name="more">More of the configuration, such as its auth section; nothing by default.</param>
    /// <param name="storage">Another registry's <see cref="StoragePath"/>, to serve what it has; one of its own by default.</param>
    public static async Task<DockerRegistry> StartAsync(string more = "", string? storage = null)
    {
        string program = Tools.Require("docker-registry");
        TempFolder folder = new("cimconvert-registry-");
        ExternalProcess? process = null;
        try
        {
            string config = folder["config.yml"];
            await File.WriteAllTextAsync(config, Configuration(storage ?? folder["storage"], more)).ConfigureAwait(false);
            process = ExternalProcess.Start(program, ["serve", config], new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["OTEL_TRACES_EXPORTER"] = "none",
            });
            // The system picks the port and the registry says which: no port is free only until someone else takes it.
            string line = await process.Error.WaitForLineAsync(text => Listening().IsMatch(text), Patience).ConfigureAwait(false);
            DockerRegistry registry = new(process, folder, Listening().Match(line).Groups["host"].Value);
            await registry.PingAsync().ConfigureAwait(false);
            return registry;
        }
        catch
        {
            if (process is not null)
            {
                await process.DisposeAsync().ConfigureAwait(false);
            }

            folder.Dispose();
            throw;
        }
    }

    /// <summary>Where a repository and tag of this registry are: <c>127.0.0.1:PORT/NAME:TAG</c>.</summary>
    public string Reference(string name, string tag = "latest") => $"{Host}/{name}:{tag}";

    /// <summary>Uploads an image of a layout under its own name as tag, blobs that are there excepted.</summary>
    public async Task PutAsync(string repository, Images.OciImage image)
    {
        using HttpClient client = new() { BaseAddress = new Uri(Address, $"v2/{repository}/") };
        foreach (string digest in image.Layers.Select(layer => layer.Digest).Append(image.ConfigDigest))
        {
            using HttpRequestMessage look = new(HttpMethod.Head, "blobs/" + digest);
            using HttpResponseMessage there = await client.SendAsync(look).ConfigureAwait(false);
            if (there.IsSuccessStatusCode)
            {
                continue;
            }

            using HttpResponseMessage upload = (await client.PostAsync(new Uri("blobs/uploads/", UriKind.Relative), content: null).ConfigureAwait(false)).EnsureSuccessStatusCode();
            UriBuilder target = new(new Uri(Address, upload.Headers.Location!));
            target.Query += "&digest=" + digest;
            using ByteArrayContent blob = new(await File.ReadAllBytesAsync(image.BlobPath(digest)).ConfigureAwait(false));
            (await client.PutAsync(target.Uri, blob).ConfigureAwait(false)).EnsureSuccessStatusCode().Dispose();
        }

        using ByteArrayContent manifest = new(await File.ReadAllBytesAsync(image.BlobPath(image.ManifestDigest)).ConfigureAwait(false));
        manifest.Headers.ContentType = new(Images.OciImage.ManifestMediaType);
        (await client.PutAsync(new Uri("manifests/" + image.RefName, UriKind.Relative), manifest).ConfigureAwait(false)).EnsureSuccessStatusCode().Dispose();
    }

    /// <summary>
    /// How many requests of this kind the registry has answered whose path contains the text. The log line follows the
    /// answer: ask after the client is done and, for an exact number, wait with <see cref="WaitForRequestAsync"/>.
    /// </summary>
    public int CountRequests(string method, string pathContains) =>
        AccessLines(server.Output.ToString()).Count(request => request.Method == method && request.Path.Contains(pathContains, StringComparison.Ordinal));

    /// <summary>Waits until a request of this kind is in the log.</summary>
    public Task WaitForRequestAsync(string method, string pathContains) => server.Output.WaitForLineAsync(
        line => AccessLines(line).Any(request => request.Method == method && request.Path.Contains(pathContains, StringComparison.Ordinal)),
        Patience);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync().ConfigureAwait(false);
        files.Dispose();
    }

    private static string Configuration(string storage, string more) => $"""
        version: 0.1
        log:
          level: info
          accesslog:
            disabled: false
        storage:
          filesystem:
            rootdirectory: {storage}
          delete:
            enabled: true
        http:
          addr: 127.0.0.1:0
        {more}

        """;

    private static IEnumerable<(string Method, string Path)> AccessLines(string log) =>
        Access().Matches(log).Select(match => (match.Groups["method"].Value, match.Groups["path"].Value));

    [GeneratedRegex(@"listening on (?<host>127\.0\.0\.1:\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Listening();

    [GeneratedRegex("\"(?<method>[A-Z]+) (?<path>[^ \"]+) HTTP/", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10000)]
    private static partial Regex Access();

    private async Task PingAsync()
    {
        using HttpClient client = new();
        using HttpResponseMessage answer = await client.GetAsync(new Uri(Address, "v2/")).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode && answer.StatusCode != HttpStatusCode.Unauthorized)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"/v2/ answered {(int)answer.StatusCode}"));
        }
    }
}
