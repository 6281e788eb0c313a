using System.Net;
using CimConvert.Registry.Http;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Http;

public sealed class ProxyTests
{
    [TestCase("https://r.example/", true)]
    [TestCase("https://127.0.0.1:5000/", false)]
    [TestCase("https://localhost/", false)]
    [TestCase("https://[::1]:5000/", false)]
    [TestCase("https://direct.example/", false)]
    public void This_machine_and_what_the_user_excludes_are_reached_directly(string uri, bool proxied)
    {
        var proxy = new LocalBypassProxy(new WebProxy("http://proxy.example:3128", BypassOnLocal: false, ["direct\\.example"]));
        Assert.That(proxy.GetProxy(new Uri(uri)), Is.EqualTo(proxied ? new Uri("http://proxy.example:3128") : null));
        Assert.That(proxy.IsBypassed(new Uri(uri)), Is.EqualTo(!proxied));
    }
}
