using System.Collections.Concurrent;
using System.Net;

namespace CimConvert.Registry.Http;

/// <summary>
/// Limits the concurrent requests per host. A request counts with all its attempts, until its response is disposed. Redirects count
/// for the host of the first request. Token requests do not count: the request that waits for the token does already.
/// </summary>
internal sealed class RequestLimitHandler(RequestLimits limits) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var place = await limits.EnterAsync(request.RequestUri!, cancellationToken);
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            response.Content = new CountedContent(response.Content, place);
            return response;
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    /// <summary>The response's content; disposing it releases the place.</summary>
    private sealed class CountedContent : HttpContent
    {
        private readonly HttpContent _content;
        private readonly IDisposable _place;

        public CountedContent(HttpContent content, IDisposable place)
        {
            _content = content;
            _place = place;
            foreach (var (name, values) in content.Headers)
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _content.CopyToAsync(stream, context);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            _content.CopyToAsync(stream, context, cancellationToken);

        protected override Task<Stream> CreateContentReadStreamAsync() => _content.ReadAsStreamAsync();

        protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => _content.ReadAsStreamAsync(cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _content.Dispose();
                _place.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}

/// <summary>The free places per host, shared by all handlers of a client.</summary>
internal sealed class RequestLimits(int placesPerHost)
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Waits for a place.</summary>
    /// <returns>The place; the first Dispose releases it.</returns>
    public async Task<IDisposable> EnterAsync(Uri uri, CancellationToken cancellationToken)
    {
        var places = _hosts.GetOrAdd(uri.GetLeftPart(UriPartial.Authority), _ => new SemaphoreSlim(placesPerHost));
        await places.WaitAsync(cancellationToken);
        return new Place(places);
    }

    private sealed class Place(SemaphoreSlim places) : IDisposable
    {
        private SemaphoreSlim? _places = places;

        public void Dispose() => Interlocked.Exchange(ref _places, null)?.Release();
    }
}
