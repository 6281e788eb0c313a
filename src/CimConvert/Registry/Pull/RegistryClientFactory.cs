using CimConvert.Registry.Auth;
using CimConvert.Registry.Hosts;
using CimConvert.Registry.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace CimConvert.Registry.Pull;

/// <summary>
/// Puts a client's handlers together: the limit of requests around retry around authentication around redirects around the
/// connections. There is such a chain for each kind of connection settings.
/// </summary>
internal static class RegistryClientFactory
{
    public static RegistryClient Create(RegistryOptions options, ILoggerFactory? loggers = null)
    {
        ILogger logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<RegistryClient>();
        var services = new ServiceCollection();
        services.AddHttpClient();
        services.AddSingleton(provider => new Clients(options, logger, provider));
        services.AddSingleton<IConfigureOptions<HttpClientFactoryOptions>>(provider => provider.GetRequiredService<Clients>());

        // The factory's own log lines would show whole URLs, in whose queries storage services carry their tokens.
        services.ConfigureHttpClientDefaults(builder => builder.RemoveAllLoggers());
        var provider = services.BuildServiceProvider();
        var clients = provider.GetRequiredService<Clients>();
        var hosts = new RegistryHosts(options, settings => clients.Get(Clients.Plain, settings), logger);
        return new RegistryClient(
            options, settings => clients.Get(Clients.Registry, settings), hosts, new Resources(provider, clients, hosts), logger);
    }

    /// <summary>The named clients: what they are for, and how they connect.</summary>
    private sealed class Clients(RegistryOptions options, ILogger logger, IServiceProvider provider)
        : IConfigureNamedOptions<HttpClientFactoryOptions>, IDisposable
    {
        public const string Registry = "registry";
        public const string Plain = "plain";

        private const string Tokens = "tokens";
        private const char Separator = '\n';

        private readonly RegistryConnections _connections = new(options);
        private readonly RequestLimits _limits = new(options.MaxRequestsPerHost);
        private readonly Dictionary<string, ConnectionSettings> _settings = new(StringComparer.Ordinal);
        private readonly Lock _lock = new();

        public HttpClient Get(string purpose, ConnectionSettings settings)
        {
            var name = $"{purpose}{Separator}{settings.Key}";
            lock (_lock)
            {
                _settings.TryAdd(name, settings);
            }

            return provider.GetRequiredService<IHttpClientFactory>().CreateClient(name);
        }

        public void Configure(HttpClientFactoryOptions options) => Configure(Options.DefaultName, options);

        public void Configure(string? name, HttpClientFactoryOptions clientOptions)
        {
            // The handlers live as long as the client, with the tokens they hold.
            clientOptions.HandlerLifetime = Timeout.InfiniteTimeSpan;
            clientOptions.HttpClientActions.Add(Configure);
            clientOptions.HttpMessageHandlerBuilderActions.Add(Build);
        }

        public void Dispose() => _connections.Dispose();

        private void Configure(HttpClient client)
        {
            // RetryHandler limits the time of each attempt; a limit on all of them together would cut large blobs short.
            client.Timeout = Timeout.InfiniteTimeSpan;
            client.DefaultRequestHeaders.UserAgent.ParseAdd(options.UserAgent);
        }

        private void Build(HttpMessageHandlerBuilder builder)
        {
            ConnectionSettings settings;
            lock (_lock)
            {
                settings = _settings[builder.Name!];
            }

            var purpose = builder.Name![..builder.Name!.IndexOf(Separator, StringComparison.Ordinal)];
            if (purpose is Registry)
            {
                builder.AdditionalHandlers.Add(new RequestLimitHandler(_limits));
            }

            if (purpose is not Plain)
            {
                builder.AdditionalHandlers.Add(new RetryHandler(options, logger));
            }

            if (purpose is Registry)
            {
                builder.AdditionalHandlers.Add(
                    new AuthenticationHandler(new TokenSource(() => Get(Tokens, settings)), options.Credentials));
            }

            if (purpose is not Plain)
            {
                builder.AdditionalHandlers.Add(new RedirectHandler());
            }

            builder.AdditionalHandlers.Add(new RequestLogHandler(logger, options.TimeProvider));
            builder.PrimaryHandler = _connections.Get(settings);
        }
    }

    /// <summary>The HTTP factory disposes no handlers of its own accord, and open connections would outlive the client.</summary>
    private sealed class Resources(ServiceProvider provider, Clients clients, RegistryHosts hosts) : IDisposable
    {
        public void Dispose()
        {
            clients.Dispose();
            hosts.Dispose();
            provider.Dispose();
        }
    }
}
