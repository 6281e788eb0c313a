using System.Net;

namespace CimConvert.Registry.Http;

/// <summary>
/// The proxy of the usual variables (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), but not to this machine itself: like other registry clients,
/// which are Go programs (net/http, ProxyFromEnvironment), and unlike .NET.
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
