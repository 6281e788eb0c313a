namespace CimConvert.Registry.Pull;

/// <summary>One answer's body, and where in the blob it starts.</summary>
/// <param name="Response">The answer; disposing it ends the transfer.</param>
/// <param name="Stream">Its body.</param>
/// <param name="Start">The place in the blob of the body's first byte.</param>
/// <param name="HasLength">The answer announced its length, which is the right one: it cannot turn out longer.</param>
internal sealed record BlobBody(HttpResponseMessage Response, Stream Stream, long Start, bool HasLength) : IDisposable
{
    public void Dispose() => Response.Dispose();
}
