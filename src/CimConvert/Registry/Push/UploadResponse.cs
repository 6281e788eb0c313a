using System.Globalization;

namespace CimConvert.Registry.Push;

/// <summary>The headers of a response about an upload (OCI distribution spec, "Pushing a blob in chunks").</summary>
internal static class UploadResponse
{
    private const string MinChunkHeader = "OCI-Chunk-Min-Length";
    private const string RangeHeader = "Range";

    /// <summary>The smallest chunk that the registry takes; null if it does not say.</summary>
    public static long? MinChunkOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues(MinChunkHeader, out var values)
        && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var least)
            ? least
            : null;

    /// <summary>The offset after <c>Range: 0-N</c>; null without such a header.</summary>
    public static long? ReceivedOf(HttpResponseMessage response)
    {
        const string first = "0-";
        var range = response.Headers.TryGetValues(RangeHeader, out var values) ? values.First() : string.Empty;
        range = range.StartsWith("bytes=", StringComparison.Ordinal) ? range["bytes=".Length..] : range;
        return range.StartsWith(first, StringComparison.Ordinal)
            && long.TryParse(range.AsSpan(first.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && last < long.MaxValue
                ? last == 0 ? 0 : last + 1
                : null;
    }

    /// <summary>The upload's next URL; null if the response has none.</summary>
    /// <param name="response">The response.</param>
    /// <param name="what">What is pushed, for errors.</param>
    /// <exception cref="RegistryException">The URL is invalid, or plain HTTP after HTTPS.</exception>
    public static Uri? LocationOf(HttpResponseMessage response, string what)
    {
        if (response.Headers.Location is not { } location)
        {
            return null;
        }

        var from = response.RequestMessage!.RequestUri!;
        if (!Uri.TryCreate(from, location, out var to))
        {
            throw new RegistryException($"cannot push {what}: {from.Authority} names an invalid upload URL: '{Printable.Of(location.OriginalString)}'");
        }

        return to.Scheme == Uri.UriSchemeHttps || (to.Scheme == Uri.UriSchemeHttp && from.Scheme == Uri.UriSchemeHttp)
            ? to
            : throw new RegistryException(
                $"cannot push {what}: {from.Authority} names the upload address {to.Scheme}://{to.Authority}, which is not secure; refused");
    }
}
