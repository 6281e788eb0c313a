using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using CimConvert.Oci;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;

namespace CimConvert.Registry.Push;

/// <summary>
/// Sends the requests of a push to one repository and turns failures into errors for the user. Credentials go to the registry only, not
/// to other hosts that it names for uploads.
/// </summary>
internal sealed class PushTarget(RegistryClient client, RegistryOptions options, ImageReference reference, RegistryEndpoint endpoint)
{
    private long _bytesSent;

    public RegistryEndpoint Endpoint => endpoint;

    public string Name { get; } = $"{reference.Registry}/{reference.Repository}";

    /// <summary>Bytes of request bodies, including repeated ones.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    public HttpRequestMessage Request(HttpMethod method, Uri uri) => RedirectHandler.IsSameOrigin(uri, endpoint.Host.Root)
        ? endpoint.Request(method, uri, push: true)
        : new HttpRequestMessage(method, uri);

    /// <summary>Sends a request with a small body or none.</summary>
    /// <returns>Any response but a transient error.</returns>
    /// <exception cref="RegistryException">No response, or a transient error.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string what, CancellationToken cancellationToken)
    {
        try
        {
            var response = await AnswerAsync(request, what, cancellationToken);
            Count((int)(request.Content?.Headers.ContentLength ?? 0));
            return response;
        }
        catch (Exception e) when (RegistryErrors.IsTransport(e))
        {
            throw Lost(e, request, what);
        }
    }

    /// <summary>Sends a slice of a file, with no time limit as long as bytes move.</summary>
    /// <inheritdoc cref="SendAsync(HttpRequestMessage, string, CancellationToken)"/>
    public async Task<HttpResponseMessage> SendFileAsync(
        HttpRequestMessage request, string path, long start, long length, string what, CancellationToken cancellationToken)
    {
        using var stalled = new CancellationTokenSource(length == 0 ? options.CommitTimeout : options.StallTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stalled.Token);
        request.Options.Set(RequestOptions.IsTimed, true);
        request.Content = new FileSlice(path, start, length, Sent);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Octet);
        if (request.Method == HttpMethod.Patch)
        {
            // OCI distribution spec, "Pushing a blob in chunks": without the unit of RFC 9110.
            request.Content.Headers.TryAddWithoutValidation("Content-Range", string.Create(CultureInfo.InvariantCulture, $"{start}-{start + length - 1}"));
        }

        // Lets the registry refuse before the body is sent (RFC 9110, 10.1.1). Otherwise it may close the connection and the error
        // response is lost.
        request.Headers.ExpectContinue = length > 0;
        try
        {
            return await AnswerAsync(request, what, either.Token);
        }
        catch (OperationCanceledException e) when (stalled.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RegistryException($"cannot push {what}: {request.RequestUri!.Authority} took or acknowledged no data in time", e) { IsTransient = true };
        }
        catch (Exception e) when (RegistryErrors.IsTransport(e))
        {
            throw Lost(e, request, what);
        }

        void Sent(int bytes, long left)
        {
            Count(bytes);
            stalled.CancelAfter(left == 0 ? options.CommitTimeout : options.StallTimeout);
        }
    }

    /// <param name="response">An error response.</param>
    /// <param name="what">What is pushed.</param>
    /// <param name="cancellationToken">Cancels reading the body.</param>
    public async Task<RegistryException> RefusedAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        var host = response.RequestMessage?.RequestUri?.Authority ?? reference.Registry;
        var meaning = RegistryErrors.Explain(
            response.StatusCode, host, login: reference.Registry, notFound: $"{host} has no such repository, and makes none", push: true);
        var detail = await RegistryErrors.ReadDetailAsync(response, cancellationToken);
        return new RegistryException($"cannot push {what}: {meaning}{detail}", statusCode: response.StatusCode)
        {
            IsTransient = IsTransient(response) && !IsRepeated(response.RequestMessage),
            RetryAfter = TransientFault.RetryAfter(response, options.TimeProvider),
        };
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request, string what, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await client.SendAsync(request, cancellationToken);
        }
        catch (RegistryException e)
        {
            throw new RegistryException($"cannot push {what}: {e.Message}", e, e.StatusCode);
        }

        if (!IsTransient(response))
        {
            return response;
        }

        using (response)
        {
            throw await RefusedAsync(response, what, cancellationToken);
        }
    }

    private static bool IsTransient(HttpResponseMessage response) =>
        TransientFault.Is(response.StatusCode) && response.StatusCode != HttpStatusCode.InsufficientStorage;

    /// <summary>Whether <see cref="RetryHandler"/> has used up the attempts.</summary>
    private static bool IsRepeated(HttpRequestMessage? request) => request?.Method == HttpMethod.Get || request?.Method == HttpMethod.Head;

    private static RegistryException Lost(Exception e, HttpRequestMessage request, string what) =>
        new($"cannot push {what}: {RegistryErrors.Explain(e, RegistryErrors.LastUrlOf(request))}", e)
        {
            IsTransient = TransientFault.Is(e) && !IsRepeated(request),
        };

    private void Count(int bytes) => Interlocked.Add(ref _bytesSent, bytes);
}
