using System.Net;
using CimConvert.Registry;
using CimConvert.Registry.Auth;
using CimConvert.Registry.Http;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Http;

/// <summary>What must not leave HTTPS. The handlers are tried one by one: no server here has a certificate.</summary>
public sealed class SecureTransportTests
{
    private static readonly Uri SecureRegistry = new("https://r.example/v2/app/blobs/x");

    private static readonly RepositoryScope Scope = new("r.example", "app");

    [TestCase("http://r.example/x?signature=secret")]
    [TestCase("file:///etc/passwd")]
    public void A_redirect_out_of_https_is_refused(string target)
    {
        using var server = new Server(_ => Redirect(target));
        using var handler = new RedirectHandler { InnerHandler = server };
        using var client = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, SecureRegistry);
        Assert.That(
            () => client.SendAsync(request, CancellationToken.None),
            Throws.TypeOf<RegistryException>().With.Message.Contains("which is not secure; refused").And.Message.Not.Contains("signature"));
        Assert.That(server.Asked, Has.Count.EqualTo(1));
    }

    [TestCase("//b.exa+ple/x")]
    [TestCase("//r.example:99999/")]
    public void A_redirect_to_what_is_no_address_is_told(string target)
    {
        using var server = new Server(_ => Redirect(target));
        using var handler = new RedirectHandler { InnerHandler = server };
        using var client = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, SecureRegistry);
        Assert.That(
            () => client.SendAsync(request, CancellationToken.None),
            Throws.TypeOf<RegistryException>().With.Message.EqualTo($"r.example redirects to an invalid URL: '{target}'"));
    }

    [Test]
    public async Task Credentials_that_were_dropped_do_not_come_back()
    {
        using var server = new Server(asked => asked switch
        {
            0 => Redirect("/elsewhere"),
            1 => Redirect("https://storage.example/x"),
            2 => Redirect(SecureRegistry.AbsoluteUri),
            _ => new HttpResponseMessage(HttpStatusCode.OK),
        });
        using var handler = new RedirectHandler { InnerHandler = server };
        using var client = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, SecureRegistry);
        request.Headers.Authorization = new("Bearer", "token");
        using var response = await client.SendAsync(request, CancellationToken.None);
        Assert.That(
            server.Asked.Select(asked => (asked.Uri.Host, asked.Authorized)),
            Is.EqualTo(new[] { ("r.example", true), ("r.example", true), ("storage.example", false), ("r.example", false) }));
    }

    [Test]
    public void A_secure_registrys_token_server_must_be_secure()
    {
        using var server = new Server(_ => new HttpResponseMessage(HttpStatusCode.OK));
        using var client = new HttpClient(server);
        var challenge = new AuthenticationChallenge("Bearer", new Dictionary<string, string>(StringComparer.Ordinal) { ["realm"] = "http://auth.example/token" });
        Assert.That(
            () => new TokenSource(() => client).FetchAsync(challenge, Scope, null, SecureRegistry, CancellationToken.None),
            Throws.TypeOf<RegistryException>().With.Message.EqualTo(
                "cannot log in to r.example: its token server http://auth.example is not secure; refused"));
        Assert.That(server.Asked, Is.Empty);
    }

    [TestCase("""{"token":"a","access_token":"b"}""", "a")]
    [TestCase("""{"access_token":"b"}""", "b")]
    [TestCase("""{"token":"a\nb"}""", null)]
    [TestCase("""{}""", null)]
    [TestCase("<html>secret</html>", null)]
    public void A_token_is_taken_from_either_field_and_only_if_it_can_be_sent(string body, string? token)
    {
        using var server = new Server(_ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(body) });
        using var client = new HttpClient(server);
        var challenge = new AuthenticationChallenge("Bearer", new Dictionary<string, string>(StringComparer.Ordinal) { ["realm"] = "https://auth.example/token?a=b" });
        var fetch = () => new TokenSource(() => client).FetchAsync(challenge, Scope, null, SecureRegistry, CancellationToken.None);
        Assert.That(
            async () => Assert.That(await fetch(), Is.EqualTo(token)),
            token is null ? Throws.TypeOf<RegistryException>().With.Message.Contains("without a usable token") : Throws.Nothing);
        Assert.That(server.Asked.Single().Uri.Query, Is.EqualTo("?a=b&scope=repository%3Aapp%3Apull"));
    }

    [Test]
    public void Challenges_are_read_with_commas_and_quotes_in_their_values()
    {
        using var response = new HttpResponseMessage(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ParseAdd(
            """Bearer realm="https://auth.example/token",service="a \"b\", c",scope="repository:x:pull,push",error=invalid_token, Basic realm="x" """.Trim());
        var challenges = AuthenticationChallenge.AllOf(response);
        Assert.That(challenges.Select(challenge => (challenge.IsBearer, challenge.IsBasic)), Is.EqualTo(new[] { (true, false), (false, true) }));
        Assert.That(challenges[0].Parameters["service"], Is.EqualTo("a \"b\", c"));
        Assert.That(challenges[0].Parameters["scope"], Is.EqualTo("repository:x:pull,push"));
        Assert.That(challenges[0].Parameters["error"], Is.EqualTo("invalid_token"));
    }

    private static HttpResponseMessage Redirect(string target)
    {
        var response = new HttpResponseMessage(HttpStatusCode.Found);
        response.Headers.Location = new Uri(target, UriKind.RelativeOrAbsolute);
        return response;
    }

    private sealed class Server(Func<int, HttpResponseMessage> answer) : HttpMessageHandler
    {
        public List<(Uri Uri, bool Authorized)> Asked { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add((request.RequestUri!, request.Headers.Authorization is not null));
            return Task.FromResult(answer(Asked.Count - 1));
        }
    }
}
