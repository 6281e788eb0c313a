using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Converter.Core.Registry;

/// <summary>Puts a client's handlers together: retry around authentication around redirects around the connections.</summary>
public static class RegistryClientFactory
{
    private const string Registry = "registry";
    private const string Tokens = "tokens";

    /// <summary>DNS changes, and load balancers drain, during a long batch.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    public static RegistryClient Create(RegistryOptions options, ILoggerFactory? loggers = null)
    {
        ILogger logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<RegistryClient>();
        var connections = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = ConnectionLifetime,
            ActivityHeadersPropagator = null,
        };

        var services = new ServiceCollection();
        services.AddHttpClient(Registry, client => Configure(client, options))
            .AddHttpMessageHandler(() => new RetryHandler(options, logger))
            .AddHttpMessageHandler(provider => new AuthenticationHandler(new TokenSource(() => Client(provider, Tokens)), options.Credentials))
            .AddHttpMessageHandler(() => new RedirectHandler());
        services.AddHttpClient(Tokens, client => Configure(client, options))
            .AddHttpMessageHandler(() => new RetryHandler(options, logger))
            .AddHttpMessageHandler(() => new RedirectHandler());

        // The handlers live as long as the client, with the tokens they hold. The factory's own log lines would show whole URLs,
        // in whose queries storage services carry their tokens.
        services.ConfigureHttpClientDefaults(builder => builder
            .ConfigurePrimaryHttpMessageHandler(() => connections)
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers());

        var provider = services.BuildServiceProvider();
        return new RegistryClient(options, () => Client(provider, Registry), new Resources(provider, connections), logger);
    }

    private static void Configure(HttpClient client, RegistryOptions options)
    {
        // RetryHandler limits the time of each attempt; a limit on all of them together would cut large blobs short.
        client.Timeout = Timeout.InfiniteTimeSpan;
        client.DefaultRequestHeaders.UserAgent.ParseAdd(options.UserAgent);
    }

    private static HttpClient Client(IServiceProvider provider, string name) =>
        provider.GetRequiredService<IHttpClientFactory>().CreateClient(name);

    /// <summary>The HTTP factory disposes no handlers of its own accord, and open connections would outlive the client.</summary>
    private sealed class Resources(ServiceProvider provider, SocketsHttpHandler connections) : IDisposable
    {
        public void Dispose()
        {
            connections.Dispose();
            provider.Dispose();
        }
    }
}
