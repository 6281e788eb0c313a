using System.Net;
using System.Net.Sockets;

namespace CimConvert.TestKit.Servers;

/// <summary>Accepts connections on a port of this machine or on a Unix socket until it is disposed, and serves each at once.</summary>
public abstract class LoopbackServer : IAsyncDisposable
{
    private readonly Socket listener;
    private readonly CancellationTokenSource stopping = new();
    private Task serving = Task.CompletedTask;

    /// <summary>On a TCP port that the system picks.</summary>
    protected LoopbackServer()
        : this(new IPEndPoint(IPAddress.Loopback, 0))
    {
    }

    protected LoopbackServer(EndPoint endPoint)
    {
        listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(endPoint);
    }

    /// <summary>Of a TCP port.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndPoint!;

    protected CancellationToken Stopping => stopping.Token;

    /// <summary>Breaks all connections. May be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!stopping.IsCancellationRequested)
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            listener.Dispose();
            await serving.ConfigureAwait(false);
            stopping.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>To be called when all is there that a connection needs.</summary>
    protected void Start()
    {
        listener.Listen();
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
                connections.Add(GuardAsync(await listener.AcceptAsync(Stopping).ConfigureAwait(false)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections).ConfigureAwait(false);
        }
    }

    private async Task GuardAsync(Socket socket)
    {
        using NetworkStream client = new(socket, ownsSocket: true);
        try
        {
            await ServeAsync(client).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One of the two has gone: so does the other.
        }
    }
}
