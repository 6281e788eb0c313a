using System.Net;
using System.Net.Sockets;
using Polly.Timeout;

namespace CimConvert.Registry.Http;

/// <summary>Which failures may pass, and how long the registry wants to be left alone.</summary>
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

    /// <summary>Whether the same may succeed if all of it is tried again: something behind the failure may pass.</summary>
    public static bool IsBehind(Exception failure) => Causes(failure).Any(cause => Is(cause)
        || cause is RegistryException { IsTransient: true } or RegistryException { IsInterruption: true }
        || (cause is RegistryException { StatusCode: { } status } && Is(status)));

    /// <summary>
    /// Whether the registry could not be reached, or had trouble, so that what came of a transfer is good. That nobody answers any
    /// more is no reason to try at once, but none to give up what is here either.
    /// </summary>
    public static bool KeepsPartialDownloads(Exception failure) => IsBehind(failure) || Causes(failure).Any(cause => cause is HttpRequestException);

    /// <summary>Retry-After, as seconds or as a date (RFC 9110, 10.2.3); null where the registry does not say.</summary>
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
