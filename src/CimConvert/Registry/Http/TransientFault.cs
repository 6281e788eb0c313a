using System.Net;
using System.Net.Sockets;
using Polly.Timeout;

namespace CimConvert.Registry.Http;

/// <summary>Which failures are transient, and the pause the registry asks for.</summary>
internal static class TransientFault
{
    public static bool Is(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    public static bool Is(Exception e) => e switch
    {
        TimeoutRejectedException or OperationCanceledException { InnerException: TimeoutException } => true,
        HttpRequestException lost => IsLoss(lost),
        _ => false,
    };

    /// <summary>Whether a transient failure is behind a failed operation, so that all of it may succeed if repeated.</summary>
    public static bool IsBehind(Exception failure) => Causes(failure).Any(cause => Is(cause)
        || cause is RegistryException { IsTransient: true } or RegistryException { IsInterruption: true }
        || (cause is RegistryException { StatusCode: { } status } && Is(status)));

    /// <summary>
    /// Whether partial downloads are good and worth keeping: the registry failed or could not be reached. A refused connection is not
    /// retried at once, but what is downloaded stays valid.
    /// </summary>
    public static bool KeepsPartialDownloads(Exception failure) => IsBehind(failure) || Causes(failure).Any(cause => cause is HttpRequestException);

    /// <summary>Retry-After, in seconds or as a date (RFC 9110, 10.2.3); null if the response has none.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow() is { Ticks: > 0 } pause ? pause : TimeSpan.Zero,
        _ => null,
    };

    private static IEnumerable<Exception> Causes(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }

    private static bool IsLoss(HttpRequestException e) => e.HttpRequestError switch
    {
        HttpRequestError.SecureConnectionError or HttpRequestError.ConfigurationLimitExceeded => false,
        HttpRequestError.NameResolutionError => e.InnerException is SocketException { SocketErrorCode: SocketError.TryAgain },
        _ => e.InnerException is not SocketException { SocketErrorCode: SocketError.ConnectionRefused },
    };
}
