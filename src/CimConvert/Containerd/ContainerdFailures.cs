using System.Net.Sockets;
using Grpc.Core;

namespace CimConvert.Containerd;

/// <summary>Turns what a call ends with into one line: what failed, at which daemon, and what to do.</summary>
internal static class ContainerdFailures
{
    /// <summary>What a failed call is to be thrown as, with what was asked of the daemon: <c>commit sha256:…</c>.</summary>
    public static Exception Of(ContainerdAddress address, string what, RpcException e, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return new OperationCanceledException(e.Message, e, cancellationToken);
        }

        if (Connecting(e) is { } connecting)
        {
            return connecting;
        }

        var detail = Printable.Of(e.Status.Detail, 400);
        return e.StatusCode switch
        {
            StatusCode.PermissionDenied or StatusCode.Unauthenticated => ContainerdConnection.NoRights(address, e),
            StatusCode.Unimplemented => new ConversionException(
                $"containerd at {address} does not know how to {what}; it is too old, or has that service disabled: use version {DaemonVersion.Oldest} or newer", e),
            StatusCode.DeadlineExceeded => new ConversionException($"containerd at {address} did not {what} in time; look into its log, or try again", e),
            StatusCode.Unavailable when e.Status.DebugException is not null => new ConversionException(
                $"the connection to containerd at {address} broke while it was to {what}; see that it runs, and run the same command again", e),
            _ => new ConversionException($"containerd at {address} could not {what}: {detail}", e),
        };
    }

    /// <summary>Whether a failure is that the daemon is gone, or does not answer: the same may go well later. Failures of registries are none.</summary>
    public static bool IsUnreachable(Exception? e) => e switch
    {
        null or HttpRequestException or SocketException { SocketErrorCode: SocketError.AccessDenied } => false,
        RpcException { StatusCode: StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled } => true,
        SocketException or TimeoutException => true,
        _ => IsUnreachable(e.InnerException),
    };

    /// <summary>What <see cref="ContainerdConnection"/> said of a connection that could not be made.</summary>
    private static ConversionException? Connecting(RpcException e)
    {
        for (var cause = e.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause is ConversionException connecting)
            {
                return connecting;
            }
        }

        return null;
    }
}
