using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CimConvert.TestKit.Servers;

/// <summary>An HTTP proxy that leads every name to one server of this machine: CONNECT for TLS, whole URLs for the rest.</summary>
public sealed class ForwardProxy : IAsyncDisposable
{
    private const int MaxHead = 16 << 10;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentQueue<string> heads = new();
    private readonly IPEndPoint target;
    private readonly Task serving;

    /// <param name="server">Address and port of the server.</param>
    public ForwardProxy(string server)
    {
        target = IPEndPoint.Parse(server);
        listener.Start();
        serving = ServeAsync();
    }

    public string Host => listener.LocalEndpoint.ToString()!;

    /// <summary>What each connection began with: the request's line and its headers.</summary>
    public IReadOnlyCollection<string> Heads => heads;

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
                connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(stopping.Token).ConfigureAwait(false)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections).ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient from = client;
        using TcpClient to = new();
        try
        {
            NetworkStream near = from.GetStream();
            byte[] head = await ReadHeadAsync(near).ConfigureAwait(false);
            string text = Encoding.ASCII.GetString(head);
            heads.Enqueue(text);
            await to.ConnectAsync(target, stopping.Token).ConfigureAwait(false);
            NetworkStream far = to.GetStream();
            if (text.StartsWith("CONNECT ", StringComparison.Ordinal))
            {
                await near.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), stopping.Token).ConfigureAwait(false);
            }
            else
            {
                await far.WriteAsync(head, stopping.Token).ConfigureAwait(false);
            }

            await Task.WhenAny(near.CopyToAsync(far, stopping.Token), far.CopyToAsync(near, stopping.Token)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One of the two has gone: so does the other.
        }
    }

    private async Task<byte[]> ReadHeadAsync(NetworkStream stream)
    {
        byte[] head = new byte[MaxHead];
        int length = 0;
        while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            await stream.ReadExactlyAsync(head.AsMemory(length, 1), stopping.Token).ConfigureAwait(false);
            length++;
        }

        return head[..length];
    }
}
