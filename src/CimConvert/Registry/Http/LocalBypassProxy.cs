using System.Net;

namespace CimConvert.Registry.Http;

/// <summary>
/// The proxy of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), but never for this machine. Other registry clients do the same
/// (Go, https://pkg.go.dev/net/http#ProxyFromEnvironment); .NET alone does not.
/// </summary>
internal sealed class LocalBypassProxy(IWebProxy proxy) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => proxy.Credentials;
        set => proxy.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : proxy.GetProxy(destination);

    public bool IsBypassed(Uri host) => host.IsLoopback || proxy.IsBypassed(host);
}
