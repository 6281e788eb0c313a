using System.Net;
using System.Net.Sockets;

namespace CimConvert.TestKit.Servers;

/// <summary>Leads a TCP port of this machine to a Unix socket, for programs that have no Unix sockets.</summary>
public sealed class SocketForwarder : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly UnixDomainSocketEndPoint target;
    private readonly Task serving;

    /// <param name="socket">The path of the Unix socket.</param>
    public SocketForwarder(string socket)
    {
        target = new UnixDomainSocketEndPoint(socket);
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        listener.Stop();
        await serving.ConfigureAwait(false);
        listener.Dispose();
        stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await listener.AcceptSocketAsync(stopping.Token).ConfigureAwait(false)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections).ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using Socket near = client;
        using Socket far = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await far.ConnectAsync(target, stopping.Token).ConfigureAwait(false);
            await Task.WhenAll(CopyAsync(near, far), CopyAsync(far, near)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // Whoever ended the connection knows why.
        }
    }

    /// <summary>Copies one direction to its end, and passes the end on.</summary>
    private async Task CopyAsync(Socket from, Socket to)
    {
        NetworkStream read = new(from);
        NetworkStream write = new(to);
        await using (read.ConfigureAwait(false))
        await using (write.ConfigureAwait(false))
        {
            await read.CopyToAsync(write, stopping.Token).ConfigureAwait(false);
            to.Shutdown(SocketShutdown.Send);
        }
    }
}
