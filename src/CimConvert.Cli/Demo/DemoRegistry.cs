using System.Net;
using System.Net.Sockets;
using CimConvert.Oci;

namespace CimConvert.Cli.Demo;

/// <summary>Serves one image over HTTP on a loopback port: as much of the distribution protocol as a pull needs.</summary>
internal sealed class DemoRegistry : IAsyncDisposable
{
    private const int Attempts = 16;

    private readonly DemoImage _image;
    private readonly HttpListener _listener;
    private readonly Task _serving;

    public DemoRegistry(DemoImage image)
    {
        _image = image;
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
        var path = context.Request.Url?.AbsolutePath ?? string.Empty;
        var name = path[(path.LastIndexOf('/') + 1)..];
        var isManifest = path.StartsWith($"/v2/{DemoImage.Repository}/manifests/", StringComparison.Ordinal);
        var content = isManifest && name == DemoImage.Tag ? _image.Manifest
            : isManifest || path.StartsWith($"/v2/{DemoImage.Repository}/blobs/", StringComparison.Ordinal) ? _image.Find(name)
            : null;
        using var response = context.Response;
        if (content is null)
        {
            response.StatusCode = (int)HttpStatusCode.NotFound;
            return;
        }

        response.ContentType = isManifest ? MediaTypes.OciManifest : "application/octet-stream";
        response.ContentLength64 = content.Length;
        response.OutputStream.Write(content);
    }
}
