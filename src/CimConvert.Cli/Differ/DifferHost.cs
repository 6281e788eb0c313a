using CimConvert.Cli.Commands;
using CimConvert.Containerd;
using CimConvert.Pipeline;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CimConvert.Cli.Differ;

/// <summary>What a differ serves, and where.</summary>
internal sealed record DifferSettings
{
    public required ContainerdAddress Listen { get; init; }

    public required ContainerdAddress Containerd { get; init; }

    public required ContainerdBackend Backend { get; init; }

    public required Layers.InputLimits Limits { get; init; }

    /// <summary>Layers that are imported at once.</summary>
    public required int Concurrency { get; init; }

    /// <summary>Those of them that are for the snapshotter cimfs.</summary>
    public required int CimFsConcurrency { get; init; }

    public required LogSettings Log { get; init; }
}

/// <summary>Serves gRPC, HTTP/2 without TLS, on a Unix socket or a named pipe: alone, as a Windows service, or below systemd.</summary>
internal static class DifferHost
{
    private const string Service = "containerd.services.diff.v1.Diff";

    /// <summary>Imports are cancelled when the stop is asked for, and need time only to remove what they wrote.</summary>
    private static readonly TimeSpan s_shutdownTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Serves until it is told to stop.</summary>
    /// <exception cref="ConversionException">It cannot listen there, or no layer can be made on this machine.</exception>
    public static async Task RunAsync(DifferSettings settings, CancellationToken stop)
    {
        settings.Backend.Check();
        await using var app = Build(settings);
        await app.StartAsync(stop);
        app.Logger.LogInformation("listening on {Address}, for containerd at {Containerd}", settings.Listen, settings.Containerd);
        using var stopping = stop.Register(app.Lifetime.StopApplication);
        await app.WaitForShutdownAsync(CancellationToken.None);
    }

    private static WebApplication Build(DifferSettings settings)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        CommonOptions.Configure(builder.Logging, settings.Log);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc", LogLevel.Warning);

        // The health is asked for by who wants to know it, and again and again.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        var services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = s_shutdownTimeout);
        services.AddSingleton<IHostLifetime, CommandLifetime>();
        services.AddSystemd();
        services.AddWindowsService();
        services.AddSingleton(provider => ContainerdClient.Connect(
            settings.Containerd, ContainerdClient.KubernetesNamespace, provider.GetRequiredService<ILogger<ContainerdClient>>()));
        services.AddSingleton(provider => new SnapshotApply(
            settings.Backend, settings.Limits, settings.Concurrency, settings.CimFsConcurrency, provider.GetRequiredService<ILogger<SnapshotApply>>()));
        services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = ContainerdClient.MaxMessage);
        services.AddGrpcHealthChecks(health => health.Services.Map(Service, _ => true)).AddCheck<DaemonHealth>("containerd");
        Listen(builder.WebHost.UseKestrelCore(), settings.Listen);

        var app = builder.Build();
        app.MapGrpcService<DiffService>();
        app.MapGrpcHealthChecksService();
        return app;
    }

    private static void Listen(IWebHostBuilder web, ContainerdAddress address)
    {
        if (!address.IsPipe)
        {
            DifferSocket.Prepare(address.Path);
            web.UseSockets(sockets => sockets.CreateBoundListenSocket = DifferSocket.Bind);
            web.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(address.Path, UseHttp2));
        }
        else if (OperatingSystem.IsWindows())
        {
            web.UseNamedPipes(DifferPipe.Secure);
            web.ConfigureKestrel(kestrel => kestrel.ListenNamedPipe(address.Path, UseHttp2));
        }
        else
        {
            throw new ConversionException($"{address} is a named pipe, which only Windows has; write unix:///PATH");
        }

        static void UseHttp2(ListenOptions listen) => listen.Protocols = HttpProtocols.Http2;
    }

    /// <summary>Signals come as the command's cancellation: the host need not listen for them itself.</summary>
    private sealed class CommandLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
