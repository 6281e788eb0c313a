using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CimConvert.Oci;
using CimConvert.Registry.Hosts;
using CimConvert.Registry.Http;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Pull;

/// <summary>
/// Pulls from registries (OCI distribution spec, "Pull"). Thread-safe; created by <see cref="RegistryClientFactory"/>.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    internal const string DigestHeader = "Docker-Content-Digest";

    private readonly Func<ConnectionSettings, HttpClient> _clients;
    private readonly RegistryHosts _hosts;
    private readonly IDisposable _resources;

    internal RegistryClient(
        RegistryOptions options, Func<ConnectionSettings, HttpClient> clients, RegistryHosts hosts, IDisposable resources, ILogger logger)
    {
        Options = options;
        _clients = clients;
        _hosts = hosts;
        _resources = resources;
        Logger = logger;
    }

    internal RegistryOptions Options { get; }

    internal ILogger Logger { get; }

    /// <summary>Gets the reference's manifest or index, by digest if it has one.</summary>
    /// <exception cref="RegistryException">The request failed, or the content does not match.</exception>
    public Task<FetchedManifest> GetManifestAsync(ImageReference reference, CancellationToken cancellationToken) =>
        GetManifestAsync(reference, expected: null, new TransferCount(), cancellationToken);

    /// <summary>Gets the descriptor's manifest or index from the reference's repository.</summary>
    /// <param name="reference">The registry and repository; tag and digest are used only without a descriptor.</param>
    /// <param name="expected">The descriptor; null gets the reference's manifest.</param>
    /// <param name="count">Counts bytes and retries.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="RegistryException">The request failed, or the content does not match.</exception>
    public async Task<FetchedManifest> GetManifestAsync(
        ImageReference reference, Descriptor? expected, TransferCount count, CancellationToken cancellationToken)
    {
        var byDigest = (expected?.Digest ?? reference.Digest) is not null;
        var hosts = await EndpointsAsync(reference, byDigest ? HostCapabilities.Pull : HostCapabilities.Resolve, cancellationToken);
        for (var i = 0; ; i++)
        {
            try
            {
                return await GetManifestAsync(hosts[i], reference, expected, count, cancellationToken);
            }
            catch (RegistryException e) when (i + 1 < hosts.Count)
            {
                Logger.LogWarning("{Failure}; trying {Host}", e.Message, hosts[i + 1].Host.Name);
            }
        }
    }

    /// <summary>
    /// Whether the first host that the reference is looked up at is there (OCI distribution spec, "Determining Support"). It is asked
    /// without a login, so that 401 is an answer like others.
    /// </summary>
    /// <exception cref="RegistryException">It does not answer.</exception>
    public async Task<RegistryAnswer> PingAsync(ImageReference reference, CancellationToken cancellationToken)
    {
        var host = (await EndpointsAsync(reference, HostCapabilities.Resolve, cancellationToken))[0].Host;
        using var request = new HttpRequestMessage(HttpMethod.Get, host.Root);
        request.Options.Set(RequestOptions.Host, host);
        foreach (var (name, value) in host.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await SendAsync(request, $"an answer of {host.Name}", cancellationToken);
        return new RegistryAnswer(host.Name, response.StatusCode, response.Headers.Date);
    }

    /// <summary>The reference's repository at each host with the capability, in the order to try them.</summary>
    /// <exception cref="RegistryException">No host has the capability.</exception>
    internal async Task<IReadOnlyList<RegistryEndpoint>> EndpointsAsync(
        ImageReference reference, HostCapabilities capability, CancellationToken cancellationToken) =>
        [.. (await _hosts.FindAsync(reference.Registry, capability, cancellationToken)).Select(host => new RegistryEndpoint(host, reference))];

    private async Task<FetchedManifest> GetManifestAsync(
        RegistryEndpoint host, ImageReference reference, Descriptor? expected, TransferCount count, CancellationToken cancellationToken)
    {
        var digest = expected?.Digest ?? reference.Digest;
        var name = digest?.ToString() ?? reference.Tag!;
        var what = $"manifest {name} of {reference.Registry}/{reference.Repository}";
        using var request = host.Request(HttpMethod.Get, host.Manifest(name));
        foreach (var type in MediaTypes.Manifests)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        }

        request.Options.Set(RequestOptions.BufferedBytes, ImageManifest.MaxBytes);
        request.Options.Set(RequestOptions.Count, count);
        using var response = await SendAsync(request, what, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            var notFound = digest is null
                ? $"no such tag in {reference.Registry}/{reference.Repository}, or no such repository"
                : $"{reference.Registry}/{reference.Repository} has no manifest of this digest";
            throw await RegistryErrors.FromResponseAsync(response, what, notFound, cancellationToken);
        }

        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        count.AddBytes(bytes.Length);
        var actual = Digest.Compute(bytes);
        CheckManifest(response, what, bytes.Length, actual, digest, expected);
        return new FetchedManifest(
            new Descriptor { MediaType = expected?.MediaType ?? MediaTypeOf(response, bytes), Digest = actual, Size = bytes.Length }, bytes);
    }

    /// <summary>
    /// Opens a blob for reading. The stream checks the number of bytes, resumes broken and stalled connections, and fetches no faster
    /// than it is read. It does not check the digest.
    /// </summary>
    /// <param name="reference">The registry and repository.</param>
    /// <param name="blob">The blob. A foreign layer that the registry lacks is read from its URLs, without credentials.</param>
    /// <param name="offset">The first byte to read, below the blob's size.</param>
    /// <param name="count">Counts bytes and retries.</param>
    /// <param name="cancellationToken">Cancels opening and all reads.</param>
    /// <exception cref="RegistryException">Here or while reading: the request failed, or the blob has another size.</exception>
    public async Task<Stream> OpenBlobAsync(
        ImageReference reference, Descriptor blob, long offset, TransferCount count, CancellationToken cancellationToken)
    {
        var hosts = await EndpointsAsync(reference, HostCapabilities.Pull, cancellationToken);
        var source = new BlobSource(this, hosts, reference, blob, Options.PlainHttp, count, Logger);
        var first = await source.OpenAsync(offset, cancellationToken);
        return new BlobStream(source, first, offset, Options, count, Logger, cancellationToken);
    }

    public void Dispose() => _resources.Dispose();

    /// <summary>Sends a request and returns when the response headers are read. Failures without a response become errors for the user.</summary>
    internal async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string what, CancellationToken cancellationToken)
    {
        try
        {
            return await SendAsync(request, cancellationToken);
        }
        catch (RegistryException e)
        {
            throw new RegistryException($"cannot get {what}: {e.Message}", e, e.StatusCode);
        }
        catch (Exception e) when (RegistryErrors.IsTransport(e))
        {
            throw RegistryErrors.FromTransport(e, what, request);
        }
    }

    /// <summary>Sends a request and returns when the response headers are read. The caller reports failures without a response.</summary>
    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var settings = request.Options.TryGetValue(RequestOptions.Host, out var host) ? host.Connection : ConnectionSettings.Default;
        return _clients(settings).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private static void CheckManifest(
        HttpResponseMessage response, string what, int size, Digest actual, Digest? wanted, Descriptor? expected)
    {
        if (expected is not null && expected.Size != size)
        {
            throw new RegistryException($"cannot use {what}: it has {size} bytes where the index says {expected.Size}");
        }

        if (wanted is { } digest && digest != actual)
        {
            throw new RegistryException($"cannot use {what}: the content has the digest {actual}; the registry's copy is damaged");
        }

        // OCI distribution spec, "Pulling manifests": without a digest in the request, the header's is verified. One of another algorithm
        // is ignored.
        if (wanted is null
            && response.Headers.TryGetValues(DigestHeader, out var values)
            && values.FirstOrDefault() is { } stated
            && stated.StartsWith("sha256:", StringComparison.Ordinal)
            && stated != actual.ToString())
        {
            throw new RegistryException($"cannot use {what}: the content has the digest {actual}, but the registry announced {Printable.Of(stated)}");
        }
    }

    /// <summary>Some registries serve manifests as plain JSON; then the document's own mediaType counts.</summary>
    internal static string MediaTypeOf(HttpResponseMessage response, byte[] bytes)
    {
        var stated = response.Content.Headers.ContentType?.MediaType ?? string.Empty;
        if (MediaTypes.IsIndex(stated) || MediaTypes.IsManifest(stated))
        {
            return stated;
        }

        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("mediaType", out var type)
                && type.ValueKind == JsonValueKind.String
                ? type.GetString()!
                : stated;
        }
        catch (JsonException)
        {
            return stated;
        }
    }
}

/// <summary>What a registry answered that was only asked whether it is there.</summary>
/// <param name="Host">The host that was asked, which may be a mirror.</param>
/// <param name="Status">Its answer.</param>
/// <param name="Date">Its clock, if it tells.</param>
internal sealed record RegistryAnswer(string Host, HttpStatusCode Status, DateTimeOffset? Date);

/// <summary>A manifest or index, verified against its digest.</summary>
/// <param name="Descriptor">Media type, and size and digest of <paramref name="Bytes"/>.</param>
/// <param name="Bytes">The document, byte for byte.</param>
internal sealed record FetchedManifest(Descriptor Descriptor, ReadOnlyMemory<byte> Bytes);
