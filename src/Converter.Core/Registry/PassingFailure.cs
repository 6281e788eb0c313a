using System.Net;
using System.Net.Sockets;
using Polly.Timeout;

namespace Converter.Core.Registry;

/// <summary>Which failures may pass, and how long the registry wants to be left alone.</summary>
internal static class PassingFailure
{
    public static bool Is(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    public static bool Is(Exception e) => e switch
    {
        TimeoutRejectedException or OperationCanceledException { InnerException: TimeoutException } => true,
        HttpRequestException lost => IsLoss(lost),
        _ => false,
    };

    /// <summary>Retry-After, as seconds or as a date (RFC 9110, 10.2.3); null where the registry does not say.</summary>
    public static TimeSpan? AskedPause(HttpResponseMessage response, TimeProvider time) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow() is { Ticks: > 0 } pause ? pause : TimeSpan.Zero,
        _ => null,
    };

    private static bool IsLoss(HttpRequestException e) => e.HttpRequestError switch
    {
        HttpRequestError.SecureConnectionError or HttpRequestError.ConfigurationLimitExceeded => false,
        HttpRequestError.NameResolutionError => e.InnerException is SocketException { SocketErrorCode: SocketError.TryAgain },
        _ => e.InnerException is not SocketException { SocketErrorCode: SocketError.ConnectionRefused },
    };
}
