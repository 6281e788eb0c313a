using System.Net;
using System.Net.Sockets;

namespace CimConvert.Cli.Demo;

/// <summary>Serves a registry over HTTP on a loopback port.</summary>
internal sealed class DemoRegistry : IAsyncDisposable
{
    private const int Attempts = 16;

    private readonly InProcessRegistry _registry;
    private readonly HttpListener _listener;
    private readonly Task _serving;

    public DemoRegistry(InProcessRegistry registry)
    {
        _registry = registry;
        (_listener, Host) = Listen();
        _serving = ServeAsync();
    }

    /// <summary>Host and port.</summary>
    public string Host { get; }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    /// <summary>The listener cannot choose a free port itself; one that was free a moment ago nearly always still is.</summary>
    private static (HttpListener Listener, string Host) Listen()
    {
        for (var attempt = 1; ; attempt++)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            var host = $"localhost:{((IPEndPoint)probe.LocalEndpoint).Port}";
            probe.Stop();
            var listener = new HttpListener();
            listener.Prefixes.Add($"http://{host}/");
            try
            {
                listener.Start();
                return (listener, host);
            }
            catch (HttpListenerException) when (attempt < Attempts)
            {
                listener.Close();
            }
        }
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            Answer(context);
        }
    }

    private void Answer(HttpListenerContext context)
    {
        var request = context.Request;
        using var response = context.Response;
        using var answer = _registry.Pull(request.Url?.AbsolutePath ?? string.Empty, InProcessRegistry.FirstByte(request.Headers["Range"]));
        response.StatusCode = (int)answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            response.Headers[name] = value;
        }

        response.ContentLength64 = answer.Content.Length - answer.Content.Position;
        if (request.HttpMethod != "HEAD")
        {
            answer.Content.CopyTo(response.OutputStream);
        }
    }
}
