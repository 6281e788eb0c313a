namespace CimConvert.TestKit.Registry;

/// <summary>
/// One thing that goes wrong, on the requests whose path contains a text. Several faults may meet in one request:
/// a server without ranges that also drops the connection, say.
/// </summary>
public sealed record Fault
{
    /// <summary>For permanent faults.</summary>
    public const int Always = int.MaxValue;

    private Fault(string pathContains, int times)
    {
        PathContains = pathContains;
        Times = times;
    }

    public string PathContains { get; }

    /// <summary>How many matching requests fail.</summary>
    public int Times { get; }

    /// <summary>How many matching requests pass first: with <c>{ Skip = 1 }</c>, the second fails.</summary>
    public int Skip { get; init; }

    /// <summary>The only method it applies to; null for any.</summary>
    public string? Method { get; init; }

    internal long? DropAt { get; private init; }

    internal long? StallAt { get; private init; }

    internal int? StatusCode { get; private init; }

    internal string? RetryAfter { get; private init; }

    internal string? ErrorBody { get; private init; }

    internal bool Corrupts { get; private init; }

    internal long LengthDelta { get; private init; }

    internal bool HidesLength { get; private init; }

    internal bool IgnoresRange { get; private init; }

    internal long RangeShift { get; private init; }

    internal string? RedirectTarget { get; private init; }

    internal TimeSpan? PauseBetweenChunks { get; private init; }

    internal string? AnnouncedDigest { get; private init; }

    internal bool LosesUpload { get; private init; }

    internal string? UploadBase { get; private init; }

    internal bool ExpiresTokens { get; private init; }

    /// <summary>Aborts the connection after so many bytes of the body: of the answer's or, of what is uploaded, of the request's.</summary>
    public static Fault DropAfter(string pathContains, long bytes, int times = 1) => new(pathContains, times) { DropAt = bytes };

    /// <summary>Sends or, of what is uploaded, takes so many bytes of the body and then nothing, with the connection open.</summary>
    public static Fault StallAfter(string pathContains, long bytes, int times = 1) => new(pathContains, times) { StallAt = bytes };

    /// <summary>Answers with a status, and optionally a body, instead of content.</summary>
    public static Fault Status(string pathContains, int status, int times = 1, string? body = null) =>
        new(pathContains, times) { StatusCode = status, ErrorBody = body };

    /// <summary>429 with Retry-After.</summary>
    public static Fault TooManyRequests(string pathContains, string retryAfter, int times = 1) =>
        new(pathContains, times) { StatusCode = 429, RetryAfter = retryAfter };

    /// <summary>Sends content with its middle byte changed.</summary>
    public static Fault Corrupt(string pathContains, int times = 1) => new(pathContains, times) { Corrupts = true };

    /// <summary>Sends content longer (zeros at its end) or shorter than it is, and announces that length.</summary>
    public static Fault WrongLength(string pathContains, long delta, int times = Always) => new(pathContains, times) { LengthDelta = delta };

    /// <summary>Sends the body in chunks, its length unannounced.</summary>
    public static Fault NoLength(string pathContains, int times = Always) => new(pathContains, times) { HidesLength = true };

    /// <summary>Answers a range request with 200 and everything.</summary>
    public static Fault NoRanges(string pathContains, int times = Always) => new(pathContains, times) { IgnoresRange = true };

    /// <summary>Answers a range request with 206 and a part that starts so many bytes too late; says that so many more bytes of an upload came.</summary>
    public static Fault WrongRange(string pathContains, long shift, int times = Always) => new(pathContains, times) { RangeShift = shift };

    /// <summary>Redirects to the same path below another base; a query may follow the base.</summary>
    public static Fault Redirect(string pathContains, string target, int times = Always) => new(pathContains, times) { RedirectTarget = target };

    /// <summary>Sends the body in small pieces with pauses.</summary>
    public static Fault Slow(string pathContains, TimeSpan pause, int times = Always) => new(pathContains, times) { PauseBetweenChunks = pause };

    /// <summary>Forgets the upload that is asked for.</summary>
    public static Fault LoseUpload(string pathContains, int times = 1) => new(pathContains, times) { LosesUpload = true };

    /// <summary>Names another base, as <c>http://host</c>, for the upload to go on at.</summary>
    public static Fault UploadElsewhere(string pathContains, string target, int times = Always) => new(pathContains, times) { UploadBase = target };

    /// <summary>Revokes all tokens, the request's own included.</summary>
    public static Fault ExpireTokens(string pathContains, int times = 1) => new(pathContains, times) { ExpiresTokens = true };

    /// <summary>Announces this in Docker-Content-Digest.</summary>
    public static Fault DigestHeader(string pathContains, string digest, int times = Always) => new(pathContains, times) { AnnouncedDigest = digest };
}
