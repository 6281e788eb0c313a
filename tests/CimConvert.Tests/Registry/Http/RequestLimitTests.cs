using System.Net;
using CimConvert.Registry.Http;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Http;

public sealed class RequestLimitTests
{
    private static readonly Uri Here = new("https://r.example/v2/a");
    private static readonly Uri Elsewhere = new("https://other.example/v2/a");

    [Test]
    public async Task A_place_is_free_again_when_an_answer_is_disposed_of()
    {
        using var server = new Server();
        using var client = Client(server, limit: 2);
        var first = await client.GetAsync(Here, HttpCompletionOption.ResponseHeadersRead);
        var second = await client.GetAsync(Here, HttpCompletionOption.ResponseHeadersRead);
        var third = client.GetAsync(Here, HttpCompletionOption.ResponseHeadersRead);
        using var other = await client.GetAsync(Elsewhere, HttpCompletionOption.ResponseHeadersRead);
        Assert.That((server.Asked, third.IsCompleted), Is.EqualTo((3, false)), "another host has places of its own");
        first.Dispose();
        first.Dispose();
        using var answer = await third;
        var fourth = client.GetAsync(Here, HttpCompletionOption.ResponseHeadersRead);
        Assert.That(fourth.IsCompleted, Is.False, "disposing twice frees one place");
        second.Dispose();
        using var last = await fourth;
        Assert.That(server.Asked, Is.EqualTo(5));
    }

    [Test]
    public async Task A_failed_request_gives_its_place_back()
    {
        using var server = new Server { Fails = true };
        using var client = Client(server, limit: 1);
        Assert.That(() => client.GetAsync(Here), Throws.TypeOf<HttpRequestException>());
        server.Fails = false;
        using var answer = await client.GetAsync(Here);
        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("content"));
        Assert.That(answer.Content.Headers.ContentType!.MediaType, Is.EqualTo("text/plain"));
    }

    [Test]
    public async Task Waiting_for_a_place_can_be_cancelled()
    {
        using var server = new Server();
        using var client = Client(server, limit: 1);
        using var answer = await client.GetAsync(Here, HttpCompletionOption.ResponseHeadersRead);
        using var cancellation = new CancellationTokenSource();
        var waiting = client.GetAsync(Here, cancellation.Token);
        await cancellation.CancelAsync();
        Assert.That(() => waiting, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(server.Asked, Is.EqualTo(1));
    }

    private static HttpClient Client(Server server, int limit) => new(new RequestLimitHandler(new RequestLimits(limit)) { InnerHandler = server });

    private sealed class Server : HttpMessageHandler
    {
        public int Asked { get; private set; }

        public bool Fails { get; set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked++;
            return Fails
                ? throw new HttpRequestException("failed")
                : Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("content") });
        }
    }
}
