using System.Collections.Concurrent;
using System.Net;
using System.Text;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>What a collector gets, where OpenTelemetry's standard variables name one.</summary>
[Category(Categories.Process)]
public class TelemetryTests
{
    private static readonly string[] s_metrics =
    [
        "cimconvert.bytes.downloaded", "cimconvert.bytes.decompressed", "cimconvert.bytes.written", "cimconvert.layers", "cimconvert.images",
        "cimconvert.stage.duration", "cimconvert.imports.active",
    ];

    [Test]
    public async Task Metrics_reach_the_collector_before_the_program_ends()
    {
        var bodies = await RunAsync(endpoint => new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint, ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf" });
        foreach (var metric in s_metrics)
        {
            Assert.That(bodies, Has.Some.Contains(metric));
        }
    }

    [TestCase("OTEL_SDK_DISABLED", "true")]
    [TestCase("OTEL_METRICS_EXPORTER", "none")]
    public async Task Switched_off_none_are_sent(string variable, string value) => Assert.That(
        await RunAsync(endpoint => new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint, ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf", [variable] = value }), Is.Empty);

    private static async Task<IReadOnlyList<string>> RunAsync(Func<string, Dictionary<string, string?>> environment)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = PrewarmTests.WriteSharing(folder["images"], 1)[0];
        registry.AddLayout("win/app", folder["images"]);
        var bodies = new ConcurrentQueue<string>();
        await using var collector = await StartCollectorAsync(bodies);
        var endpoint = collector.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

        var list = PrewarmTests.WriteList(folder, "store", [PrewarmTests.Name(registry, image)]);
        (await CimConvertProgram.RunWithAsync(environment(endpoint), "prewarm", list, "--plain-http", "--quiet")).EnsureSuccess();
        return [.. bodies];
    }

    private static async Task<WebApplication> StartCollectorAsync(ConcurrentQueue<string> bodies)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            if (context.Request.Path == "/v1/metrics")
            {
                bodies.Enqueue(Encoding.Latin1.GetString(body.ToArray()));
            }

            context.Response.ContentType = "application/x-protobuf";
        });
        await app.StartAsync();
        return app;
    }
}
