using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using CimConvert.Oci;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;

namespace CimConvert.Registry.Push;

/// <summary>
/// Sends what a push consists of to one repository, and tells failures in the user's terms. Credentials go to the registry itself,
/// never to another host it names for uploads.
/// </summary>
internal sealed class PushTarget(RegistryClient client, RegistryOptions options, ImageReference reference, RegistryEndpoint endpoint)
{
    private long _bytesSent;

    public RegistryEndpoint Endpoint => endpoint;

    public string Name { get; } = $"{reference.Registry}/{reference.Repository}";

    /// <summary>Bytes of request bodies, those sent again included.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    public HttpRequestMessage Request(HttpMethod method, Uri uri) => RedirectHandler.IsSameOrigin(uri, endpoint.Host.Root)
        ? endpoint.Request(method, uri, push: true)
        : new HttpRequestMessage(method, uri);

    /// <summary>Sends a request without a body or with a small one.</summary>
    /// <returns>Any answer but one that may pass.</returns>
    /// <exception cref="RegistryException">No answer, or one that may pass.</exception>
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

    /// <summary>Sends a part of a file. It may take as long as it needs, as long as bytes move.</summary>
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
            // distribution spec, "Pushing a blob in chunks": without the unit that HTTP's own has.
            request.Content.Headers.TryAddWithoutValidation("Content-Range", string.Create(CultureInfo.InvariantCulture, $"{start}-{start + length - 1}"));
        }

        // A registry that will not have the body says so before it is sent (RFC 9110, 10.1.1); else its refusal could be lost
        // with the connection that it closes.
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

    /// <param name="response">An answer that is no success.</param>
    /// <param name="what">What was to be pushed.</param>
    /// <param name="cancellationToken">Ends reading the answer.</param>
    public async Task<RegistryException> RefusedAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        var host = response.RequestMessage?.RequestUri?.Authority ?? reference.Registry;
        var status = (int)response.StatusCode;
        var meaning = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => $"{host} wants a valid login (401); run 'docker login {reference.Registry}' or check docker's config.json",
            HttpStatusCode.Forbidden =>
                $"{host} denies access (403); check that the login of 'docker login {reference.Registry}' may push to the repository",
            HttpStatusCode.NotFound => $"{host} has no such repository, and makes none (404)",
            HttpStatusCode.MethodNotAllowed => $"{host} takes no pushes (405): it is read-only, or a cache of another registry",
            HttpStatusCode.RequestEntityTooLarge => $"{host} takes no request of this size (413); raise the limit of the registry, or of the proxy before it",
            HttpStatusCode.TooManyRequests => $"{host} asks for fewer requests (429); try again later",
            HttpStatusCode.InsufficientStorage => $"{host} has no space left for it (507)",
            >= HttpStatusCode.InternalServerError => $"{host} failed with status {status}; try again later",
            _ => $"{host} answered with status {status}",
        };
        var pause = TransientFault.RetryAfter(response, options.TimeProvider);
        var detail = await RegistryErrors.ReadDetailAsync(response, cancellationToken);
        return new RegistryException($"cannot push {what}: {meaning}{detail}", statusCode: response.StatusCode)
        {
            IsTransient = IsTransient(response) && !(pause > options.MaxRetryDelay) && !IsRepeated(response.RequestMessage),
            RetryAfter = pause,
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

    /// <summary>What <see cref="RetryHandler"/> has tried as often as it may.</summary>
    private static bool IsRepeated(HttpRequestMessage? request) => request?.Method == HttpMethod.Get || request?.Method == HttpMethod.Head;

    private static RegistryException Lost(Exception e, HttpRequestMessage request, string what)
    {
        var uri = request.Options.TryGetValue(RequestOptions.Reached, out var reached) ? reached : request.RequestUri!;
        return new RegistryException($"cannot push {what}: {RegistryErrors.Explain(e, uri)}", e) { IsTransient = TransientFault.Is(e) && !IsRepeated(request) };
    }

    private void Count(int bytes) => Interlocked.Add(ref _bytesSent, bytes);
}
