using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CimConvert.TestKit.Servers;

/// <summary>An HTTP proxy that leads every name to one server of this machine: CONNECT for TLS, whole URLs for the rest.</summary>
public sealed class ForwardProxy : LoopbackServer
{
    private const int MaxHead = 16 << 10;

    private readonly ConcurrentQueue<string> heads = new();
    private readonly IPEndPoint target;

    /// <param name="server">Address and port of the server.</param>
    public ForwardProxy(string server)
    {
        target = IPEndPoint.Parse(server);
        Start();
    }

    public string Host => EndPoint.ToString();

    /// <summary>What each connection began with: the request's line and its headers.</summary>
    public IReadOnlyCollection<string> Heads => heads;

    protected override async Task ServeAsync(NetworkStream client)
    {
        using TcpClient to = new();
        byte[] head = await ReadHeadAsync(client).ConfigureAwait(false);
        string text = Encoding.ASCII.GetString(head);
        heads.Enqueue(text);
        await to.ConnectAsync(target, Stopping).ConfigureAwait(false);
        NetworkStream far = to.GetStream();
        if (text.StartsWith("CONNECT ", StringComparison.Ordinal))
        {
            await client.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), Stopping).ConfigureAwait(false);
        }
        else
        {
            await far.WriteAsync(head, Stopping).ConfigureAwait(false);
        }

        await Task.WhenAny(client.CopyToAsync(far, Stopping), far.CopyToAsync(client, Stopping)).ConfigureAwait(false);
    }

    private async Task<byte[]> ReadHeadAsync(NetworkStream stream)
    {
        byte[] head = new byte[MaxHead];
        int length = 0;
        while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            await stream.ReadExactlyAsync(head.AsMemory(length, 1), Stopping).ConfigureAwait(false);
            length++;
        }

        return head[..length];
    }
}
