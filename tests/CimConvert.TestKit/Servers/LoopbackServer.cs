using System.Net;
using System.Net.Sockets;

namespace CimConvert.TestKit.Servers;

/// <summary>Accepts TCP connections on a port of this machine until it is disposed, and serves each at once.</summary>
public abstract class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private Task serving = Task.CompletedTask;

    public IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndpoint;

    protected CancellationToken Stopping => stopping.Token;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        listener.Stop();
        await serving.ConfigureAwait(false);
        listener.Dispose();
        stopping.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>To be called when all is there that a connection needs.</summary>
    protected void Start()
    {
        listener.Start();
        serving = AcceptAsync();
    }

    /// <summary>Serves a connection to its end. Broken ones are no errors: whoever ended them knows why.</summary>
    protected abstract Task ServeAsync(NetworkStream client);

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(GuardAsync(await listener.AcceptTcpClientAsync(Stopping).ConfigureAwait(false)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections).ConfigureAwait(false);
        }
    }

    private async Task GuardAsync(TcpClient client)
    {
        using TcpClient from = client;
        try
        {
            await ServeAsync(from.GetStream()).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One of the two has gone: so does the other.
        }
    }
}
