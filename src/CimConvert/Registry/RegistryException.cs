using System.Net;

namespace CimConvert.Registry;

/// <summary>
/// A registry request failed. The message is one line for the user: what failed, where, and what to do. It contains neither
/// credentials nor the query of a URL, which may carry tokens.
/// </summary>
internal sealed class RegistryException : ConversionException
{
    internal RegistryException(string message, Exception? innerException = null, HttpStatusCode? statusCode = null)
        : base(message, innerException) => StatusCode = statusCode;

    /// <summary>The status of the response, if the failure is a response.</summary>
    public HttpStatusCode? StatusCode { get; }

    /// <summary>The connection broke during a transfer: the bytes received are good, and the transfer can be resumed.</summary>
    public bool IsInterruption { get; init; }

    /// <summary>The same request may succeed later.</summary>
    internal bool IsTransient { get; init; }

    /// <summary>The pause the registry asks for (Retry-After).</summary>
    internal TimeSpan? RetryAfter { get; init; }
}
