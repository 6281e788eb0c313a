using CimConvert.Registry.Auth;
using CimConvert.Registry.Hosts;
using CimConvert.Registry.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CimConvert.Registry.Pull;

/// <summary>
/// Creates registry clients on Microsoft.Extensions.Http. Its named clients build a chain of handlers for each purpose: request limit,
/// retry, authentication, redirects, logging, connection pool.
/// <list type="bullet">
/// <item>A client's name is its purpose and the connection settings of a host. A hosts.toml gives mirrors certificates and time limits of
/// their own, so the names are known only when a host is used, and the handlers are chosen by name.</item>
/// <item>Handlers live as long as the client, because they hold its tokens. DNS changes are left to the pool
/// (<see cref="SocketsHttpHandler.PooledConnectionLifetime"/>), as
/// https://learn.microsoft.com/dotnet/core/extensions/httpclient-factory#using-ihttpclientfactory-together-with-socketshttphandler
/// recommends.</item>
/// <item><see cref="RequestLogger"/> replaces the factory's loggers, which log whole URLs: storage services have tokens in their
/// queries.</item>
/// </list>
/// </summary>
internal static class RegistryClientFactory
{
    public static RegistryClient Create(RegistryOptions options, ILoggerFactory? loggers = null)
    {
        ILogger logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<RegistryClient>();
        var clients = new Clients(options, logger);
        var probe = new PlainHttpProbe(options, settings => clients.Get(Clients.Plain, settings), logger);
        var hosts = new RegistryHosts(options, probe.SpeaksPlainHttpAsync, logger);
        return new RegistryClient(options, settings => clients.Get(Clients.Registry, settings), hosts, new Resources(clients, hosts), logger);
    }

    /// <summary>The named clients.</summary>
    private sealed class Clients : IDisposable
    {
        public const string Registry = "registry";

        /// <summary>Neither retries nor logs in.</summary>
        public const string Plain = "plain";

        private const string Tokens = "tokens";
        private const char Separator = '\n';

        private readonly RegistryOptions _options;
        private readonly ILogger _logger;
        private readonly RegistryConnections _connections;
        private readonly RequestLimits _limits;
        private readonly Dictionary<string, ConnectionSettings> _settings = new(StringComparer.Ordinal);
        private readonly Lock _lock = new();
        private readonly ServiceProvider _services;
        private readonly IHttpClientFactory _factory;

        public Clients(RegistryOptions options, ILogger logger)
        {
            _options = options;
            _logger = logger;
            _connections = new RegistryConnections(options);
            _limits = new RequestLimits(options.MaxRequestsPerHost);
            var services = new ServiceCollection();
            services.ConfigureHttpClientDefaults(builder => builder
                .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
                .ConfigureHttpClient(Configure)
                .RemoveAllLoggers()
                .AddLogger(_ => new RequestLogger(logger)));
            services.ConfigureAll<HttpClientFactoryOptions>(client => client.HttpMessageHandlerBuilderActions.Add(AddHandlers));
            _services = services.BuildServiceProvider();
            _factory = _services.GetRequiredService<IHttpClientFactory>();
        }

        public HttpClient Get(string purpose, ConnectionSettings settings)
        {
            var name = $"{purpose}{Separator}{settings.Key}";
            lock (_lock)
            {
                _settings.TryAdd(name, settings);
            }

            return _factory.CreateClient(name);
        }

        /// <summary>The HTTP client factory does not dispose handlers: without this, connections would stay open.</summary>
        public void Dispose()
        {
            _connections.Dispose();
            _services.Dispose();
        }

        private void Configure(HttpClient client)
        {
            // RetryHandler limits each attempt. A limit on the whole response would cut large blobs short.
            client.Timeout = Timeout.InfiniteTimeSpan;
            client.DefaultRequestHeaders.UserAgent.ParseAdd(_options.UserAgent);
        }

        private void AddHandlers(HttpMessageHandlerBuilder builder)
        {
            var name = builder.Name!;
            ConnectionSettings settings;
            lock (_lock)
            {
                settings = _settings[name];
            }

            IEnumerable<DelegatingHandler> handlers = name[..name.IndexOf(Separator, StringComparison.Ordinal)] switch
            {
                Registry =>
                [
                    new RequestLimitHandler(_limits),
                    new RetryHandler(_options, _logger),
                    new AuthenticationHandler(new TokenSource(() => Get(Tokens, settings)), _options.Credentials),
                    new RedirectHandler(),
                ],
                Tokens => [new RetryHandler(_options, _logger), new RedirectHandler()],
                _ => [],
            };
            foreach (var handler in handlers)
            {
                builder.AdditionalHandlers.Add(handler);
            }

            builder.AdditionalHandlers.Add(new HttpVersionHandler());
            builder.PrimaryHandler = _connections.Get(settings);
        }
    }

    private sealed class Resources(Clients clients, RegistryHosts hosts) : IDisposable
    {
        public void Dispose()
        {
            clients.Dispose();
            hosts.Dispose();
        }
    }
}
