using System.IO.Pipes;
using System.Net.Sockets;
using System.Security.Principal;

namespace CimConvert.Containerd;

/// <summary>Opens the socket or pipe, and says in one line why that fails.</summary>
internal static class ContainerdConnection
{
    private static readonly TimeSpan s_pipeTimeout = TimeSpan.FromSeconds(5);

    /// <exception cref="ConversionException">Nobody listens there, or this user has no right to connect.</exception>
    public static async ValueTask<Stream> OpenAsync(ContainerdAddress address, CancellationToken cancellationToken)
    {
        try
        {
            return address.IsPipe ? await OpenPipeAsync(address, cancellationToken) : await OpenSocketAsync(address, cancellationToken);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or SocketException { SocketErrorCode: SocketError.AccessDenied })
        {
            throw NoRights(address, e);
        }
        catch (Exception e) when (e is SocketException or TimeoutException or IOException)
        {
            throw new ConversionException($"no containerd answers at {address} ({Printable.Of(e.Message)}); start it, or name its address with --containerd", e);
        }
    }

    public static ConversionException NoRights(ContainerdAddress address, Exception cause) =>
        new($"no right to use containerd at {address}; run this as {(OperatingSystem.IsWindows() ? "administrator" : "root")}", cause);

    private static async Task<Stream> OpenSocketAsync(ContainerdAddress address, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address.Path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> OpenPipeAsync(ContainerdAddress address, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsWindows())
        {
            throw new ConversionException($"{address} is a named pipe, which only Windows has; write unix:///PATH");
        }

        // Whoever made the pipe must not act as this user: containerd needs not know who it is.
        var pipe = new NamedPipeClientStream(".", address.Path, PipeDirection.InOut, PipeOptions.Asynchronous, TokenImpersonationLevel.Anonymous);
        try
        {
            await pipe.ConnectAsync(s_pipeTimeout, cancellationToken);
            return pipe;
        }
        catch
        {
            await pipe.DisposeAsync();
            throw;
        }
    }
}
