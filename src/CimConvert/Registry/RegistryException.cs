using System.Net;

namespace CimConvert.Registry;

/// <summary>
/// A registry did not give what was asked of it. The message is one line for the user: what failed, where, and what to do.
/// It holds neither credentials nor the query of any URL, where tokens travel.
/// </summary>
internal sealed class RegistryException : ConversionException
{
    internal RegistryException(string message, Exception? innerException = null, HttpStatusCode? statusCode = null)
        : base(message, innerException) => StatusCode = statusCode;

    /// <summary>The answer's status, where an answer with an error was what failed.</summary>
    public HttpStatusCode? StatusCode { get; }

    /// <summary>Whether a transfer was under way and the connection broke: what came of it is good, and may be gone on from.</summary>
    public bool IsInterruption { get; init; }

    /// <summary>The same may succeed if it is tried again.</summary>
    internal bool IsTransient { get; init; }

    /// <summary>The pause the registry asked for.</summary>
    internal TimeSpan? RetryAfter { get; init; }
}
