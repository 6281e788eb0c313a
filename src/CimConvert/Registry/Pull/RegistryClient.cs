using System.Net.Http.Headers;
using System.Text.Json;
using CimConvert.Oci;
using CimConvert.Registry.Hosts;
using CimConvert.Registry.Http;
using CimConvert.Registry.Push;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Pull;

/// <summary>
/// Pulls from registries (distribution spec, "Pull"). Safe for use by several threads at once;
/// made by <see cref="RegistryClientFactory"/>.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    internal const string DigestHeader = "Docker-Content-Digest";

    private readonly RegistryOptions _options;
    private readonly Func<ConnectionSettings, HttpClient> _clients;
    private readonly RegistryHosts _hosts;
    private readonly IDisposable _resources;
    private readonly ILogger _logger;

    internal RegistryClient(
        RegistryOptions options, Func<ConnectionSettings, HttpClient> clients, RegistryHosts hosts, IDisposable resources, ILogger logger)
    {
        _options = options;
        _clients = clients;
        _hosts = hosts;
        _resources = resources;
        _logger = logger;
    }

    /// <summary>Gets what the reference names, by its digest where it has one.</summary>
    /// <exception cref="RegistryException">It cannot be had, or is not what was asked for.</exception>
    public Task<FetchedManifest> GetManifestAsync(ImageReference reference, CancellationToken cancellationToken) =>
        GetManifestAsync(reference, expected: null, new TransferCount(), cancellationToken);

    /// <summary>Gets what the descriptor names from the reference's repository; tag and digest of the reference are not looked at.</summary>
    /// <param name="reference">Whose registry and repository to use.</param>
    /// <param name="expected">What must come; null asks for what the reference names.</param>
    /// <param name="count">Counts what came over the wire.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="RegistryException">It cannot be had, or is not what was asked for.</exception>
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
                _logger.LogWarning("{Failure}; trying {Host}", e.Message, hosts[i + 1].Host.Name);
            }
        }
    }

    /// <summary>The reference's repository at each host that has the capability, in the order to try them.</summary>
    /// <exception cref="RegistryException">There is none.</exception>
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
    /// Opens a blob for reading. The bytes are as the registry sends them, to be hashed by the reader; their number is
    /// checked, a connection that breaks or stalls is resumed, and bytes are fetched no faster than they are read.
    /// </summary>
    /// <param name="reference">Whose registry and repository to use.</param>
    /// <param name="blob">What to get. A foreign layer the registry lacks is got from its URLs, without credentials.</param>
    /// <param name="offset">The first byte wanted, below the blob's size.</param>
    /// <param name="count">Counts what came over the wire.</param>
    /// <param name="cancellationToken">Ends the opening, and all reading from the stream.</param>
    /// <exception cref="RegistryException">Here, or from reading: the blob cannot be had, or has another size.</exception>
    public async Task<Stream> OpenBlobAsync(
        ImageReference reference, Descriptor blob, long offset, TransferCount count, CancellationToken cancellationToken)
    {
        var hosts = await EndpointsAsync(reference, HostCapabilities.Pull, cancellationToken);
        var source = new BlobSource(this, hosts, reference, blob, _options.PlainHttp, count, _logger);
        var first = await source.OpenAsync(offset, cancellationToken);
        return new BlobStream(source, first, offset, _options, count, _logger, cancellationToken);
    }

    /// <summary>Pushes to the reference's repository and tag, as this client and with its connections: to the one host that is the first to take it.</summary>
    /// <exception cref="RegistryException">There is no such host.</exception>
    public async Task<RegistryPusher> PusherToAsync(ImageReference reference, CancellationToken cancellationToken)
    {
        var hosts = await EndpointsAsync(reference, HostCapabilities.Push, cancellationToken);
        return new RegistryPusher(new PushTarget(this, _options, reference, hosts[0]), _options, reference, _logger);
    }

    public void Dispose() => _resources.Dispose();

    /// <summary>Sends through all handlers, up to the answer's headers; a failure to get any answer is told in the user's terms.</summary>
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

    /// <summary>Sends through all handlers, up to the answer's headers; a failure to get any answer is left to the caller to tell.</summary>
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

        // "Pulling manifests": the header, where there is one, is checked when there is nothing better. It may be of
        // another algorithm than ours, and then says nothing about our digest.
        if (wanted is null
            && response.Headers.TryGetValues(DigestHeader, out var values)
            && values.FirstOrDefault() is { } stated
            && stated.StartsWith("sha256:", StringComparison.Ordinal)
            && stated != actual.ToString())
        {
            throw new RegistryException($"cannot use {what}: the content has the digest {actual}, but the registry announced {Printable.Of(stated)}");
        }
    }

    /// <summary>Some registries serve every manifest as plain JSON; then the document speaks for itself.</summary>
    private static string MediaTypeOf(HttpResponseMessage response, byte[] bytes)
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
