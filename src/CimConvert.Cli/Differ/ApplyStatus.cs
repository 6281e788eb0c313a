using CimConvert.Cli.Output;
using CimConvert.Containerd;
using Grpc.Core;

namespace CimConvert.Cli.Differ;

/// <summary>Thrown for a request that no daemon should make.</summary>
internal sealed class InvalidRequestException(string message, Exception? cause = null) : ConversionException(message, cause);

/// <summary>Thrown for what is left to the next differ.</summary>
internal sealed class NotOursException(string message) : Exception(message);

/// <summary>What a call ends with: a code that containerd understands, and one line that names the layer.</summary>
internal static class ApplyStatus
{
    private const int MaxDetail = 2000;

    /// <param name="e">Why the call failed.</param>
    /// <param name="layer">The digest that the request had.</param>
    /// <param name="isStopping">Whether the differ is being stopped.</param>
    public static Status Of(Exception e, string? layer, bool isStopping)
    {
        var what = string.IsNullOrEmpty(layer) ? "cimconvert" : $"cimconvert: layer {Printable.Of(layer)}";
        return new Status(CodeOf(e, isStopping), Printable.Of($"{what}: {OneLine.Of(ReasonOf(e, isStopping))}", MaxDetail));
    }

    private static StatusCode CodeOf(Exception e, bool isStopping) => e switch
    {
        OperationCanceledException => isStopping ? StatusCode.Unavailable : StatusCode.Cancelled,
        NotOursException => StatusCode.Unimplemented,
        InvalidRequestException => StatusCode.InvalidArgument,
        _ when Failures.IsDiskFull(e) => StatusCode.ResourceExhausted,
        _ when ContainerdFailures.IsUnreachable(e) => StatusCode.Unavailable,
        _ when Failures.IsExpected(e) => StatusCode.FailedPrecondition,
        _ => StatusCode.Internal,
    };

    private static string ReasonOf(Exception e, bool isStopping) => e switch
    {
        OperationCanceledException => isStopping ? "the differ is being stopped" : "cancelled; nothing of it is left",
        NotOursException => e.Message,
        _ when Failures.IsExpected(e) => e.Message,
        _ => $"internal error: {e.GetType().Name}: {e.Message}",
    };
}
