using System.Net.Sockets;

namespace CimConvert.TestKit.Servers;

/// <summary>
/// A Unix socket that leads to another until a test breaks it: the server falls silent, and what it sends from then on is lost, or, with
/// disposing, it is gone as a killed one is.
/// </summary>
public sealed class BreakableSocket : LoopbackServer
{
    private readonly UnixDomainSocketEndPoint target;
    private long left = long.MaxValue;

    /// <param name="path">Where it listens.</param>
    /// <param name="socket">The path of the server's socket.</param>
    public BreakableSocket(string path, string socket)
        : base(new UnixDomainSocketEndPoint(path))
    {
        target = new UnixDomainSocketEndPoint(socket);
        Start();
    }

    /// <summary>So many bytes more of all that the server sends come through.</summary>
    public void FallSilentAfter(long bytes) => Interlocked.Exchange(ref left, bytes);

    /// <summary>New connections hear the server again.</summary>
    public void Speak() => Interlocked.Exchange(ref left, long.MaxValue);

    protected override async Task ServeAsync(NetworkStream client)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(target, Stopping).ConfigureAwait(false);
        NetworkStream far = new(socket);
        await using (far.ConfigureAwait(false))
        {
            // Where one of the two ends, the connection does.
            await await Task.WhenAny(client.CopyToAsync(far, Stopping), AnswerAsync(far, client)).ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(NetworkStream far, NetworkStream client)
    {
        byte[] buffer = new byte[16 << 10];
        bool isSilent = false;
        while (await far.ReadAsync(buffer, Stopping).ConfigureAwait(false) is var read and > 0)
        {
            isSilent |= Interlocked.Add(ref left, -read) < 0;
            if (!isSilent)
            {
                await client.WriteAsync(buffer.AsMemory(0, read), Stopping).ConfigureAwait(false);
            }
        }
    }
}
