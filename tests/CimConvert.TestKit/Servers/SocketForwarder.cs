using System.Net.Sockets;

namespace CimConvert.TestKit.Servers;

/// <summary>Leads a TCP port of this machine to a Unix socket, for programs that have no Unix sockets.</summary>
public sealed class SocketForwarder : LoopbackServer
{
    private readonly UnixDomainSocketEndPoint target;

    /// <param name="socket">The path of the Unix socket.</param>
    public SocketForwarder(string socket)
    {
        target = new UnixDomainSocketEndPoint(socket);
        Start();
    }

    public int Port => EndPoint.Port;

    protected override async Task ServeAsync(NetworkStream client)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(target, Stopping).ConfigureAwait(false);
        NetworkStream far = new(socket);
        await using (far.ConfigureAwait(false))
        {
            await Task.WhenAll(CopyAsync(client, far), CopyAsync(far, client)).ConfigureAwait(false);
        }
    }

    /// <summary>Copies one direction to its end, and passes the end on.</summary>
    private async Task CopyAsync(NetworkStream from, NetworkStream to)
    {
        await from.CopyToAsync(to, Stopping).ConfigureAwait(false);
        to.Socket.Shutdown(SocketShutdown.Send);
    }
}
