using System.Text.RegularExpressions;
using CimConvert.Containerd.Api;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace CimConvert.Containerd;

/// <summary>
/// containerd's gRPC interface, in one namespace of the daemon. Every call has a deadline, and fails with a
/// <see cref="ConversionException"/> of one line. Calls may be made at the same time.
/// </summary>
internal sealed partial class ContainerdClient : IDisposable
{
    /// <summary>The namespace of the CRI plugin: what kubelet sees.</summary>
    public const string KubernetesNamespace = "k8s.io";

    /// <summary>Bytes of a message: containerd's own limit (defaults.DefaultMaxRecvMsgSize).</summary>
    public const int MaxMessage = 16 << 20;

    /// <summary>Characters of a namespace's name (containerd, pkg/identifiers).</summary>
    public const int MaxNamespace = 76;

    private readonly GrpcChannel _channel;
    private readonly bool _ownsChannel;
    private volatile string? _lease;

    private ContainerdClient(ContainerdAddress address, string name, ILogger logger, GrpcChannel channel, bool ownsChannel)
    {
        Address = address;
        Namespace = name;
        Logger = logger;
        _channel = channel;
        _ownsChannel = ownsChannel;
        Calls = channel.CreateCallInvoker();
        Content = new ContentStore(this);
    }

    public ContainerdAddress Address { get; }

    public string Namespace { get; }

    public ContentStore Content { get; }

    internal ILogger Logger { get; }

    internal CallInvoker Calls { get; }

    /// <summary>Connects with the first call, not before.</summary>
    /// <exception cref="InvalidDataException">The namespace is none.</exception>
    public static ContainerdClient Connect(ContainerdAddress address, string @namespace, ILogger logger)
    {
        CheckNamespace(@namespace);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => ContainerdConnection.OpenAsync(address, cancellationToken),
            UseProxy = false,
        };

        // The name is not resolved: every connection goes to the socket.
        var channel = GrpcChannel.ForAddress("http://containerd", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessage,
            MaxSendMessageSize = MaxMessage,
        });
        return new ContainerdClient(address, @namespace, logger, channel, ownsChannel: true);
    }

    /// <summary>The same connection for another namespace. Dispose this client last.</summary>
    public ContainerdClient ForNamespace(string @namespace)
    {
        CheckNamespace(@namespace);
        return new ContainerdClient(Address, @namespace, Logger, _channel, ownsChannel: false);
    }

    public async Task<string> VersionAsync(CancellationToken cancellationToken)
    {
        var client = new Api.Version.VersionClient(Calls);
        var answer = await CallAsync("tell its version", options => client.VersionAsync(new Empty(), options), Deadlines.Quick, cancellationToken);
        return Printable.Of(answer.Version);
    }

    public async Task<IReadOnlyList<ContainerdPlugin>> PluginsAsync(CancellationToken cancellationToken)
    {
        var client = new Introspection.IntrospectionClient(Calls);
        var answer = await CallAsync("list its plugins", options => client.PluginsAsync(new PluginsRequest(), options), Deadlines.Quick, cancellationToken);
        return [.. answer.Plugins.Select(ContainerdPlugin.Of)];
    }

    /// <summary>
    /// A snapshotter that this daemon has, by name or <c>auto</c>, after a look at its version and namespaces: what a client asks first.
    /// </summary>
    /// <exception cref="ConversionException">The daemon is too old, has no such namespace, or did not load the snapshotter.</exception>
    public async Task<Snapshotter> SnapshotterAsync(string nameOrAuto, CancellationToken cancellationToken)
    {
        await CheckDaemonAsync(cancellationToken);
        var name = SnapshotterChoice.Of(await PluginsAsync(cancellationToken), nameOrAuto, Address);
        return new Snapshotter(this, name);
    }

    /// <summary>
    /// Takes a lease, which keeps from the garbage collector what this client makes from now on, also what a killed run made under the
    /// same id. One at a time. It ends after the expiry should nobody drop it.
    /// </summary>
    public async Task<ContainerdLease> LeaseAsync(string id, TimeSpan expiry, CancellationToken cancellationToken)
    {
        if (_lease is not null)
        {
            throw new InvalidOperationException("this client has a lease");
        }

        (_lease, var isInherited) = await new LeaseTaking(this, TimeProvider.System).TakeAsync(id, expiry, cancellationToken);
        return new ContainerdLease(this, _lease, isInherited);
    }

    /// <summary>Whether a run that was killed or stopped left a lease of this id.</summary>
    public async Task<bool> HasLeaseAsync(string id, CancellationToken cancellationToken) =>
        await new LeaseTaking(this, TimeProvider.System).IsThereAsync(id, cancellationToken);

    public void Dispose()
    {
        if (_ownsChannel)
        {
            _channel.Dispose();
        }
    }

    internal void ForgetLease() => _lease = null;

    /// <summary>Has the client's lease keep something that another call did not put under it. Nothing happens without a lease.</summary>
    /// <param name="type">As the daemon names it: <c>snapshots/SNAPSHOTTER</c>.</param>
    /// <param name="id">Its key.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    internal async Task HoldAsync(string type, string id, CancellationToken cancellationToken)
    {
        if (_lease is { } lease)
        {
            await LeaseTaking.AddAsync(this, lease, new Resource { Type = type, Id = id }, cancellationToken);
        }
    }

    /// <exception cref="ConversionException">The daemon is too old, or has no such namespace.</exception>
    internal async Task CheckDaemonAsync(CancellationToken cancellationToken)
    {
        var version = await VersionAsync(cancellationToken);
        if (DaemonVersion.IsTooOld(version))
        {
            throw new ConversionException($"containerd at {Address} is version {version}, which is too old; use {DaemonVersion.Oldest} or newer");
        }

        // A daemon that has not run anything has no k8s.io yet: the first call makes it.
        if (Namespace == KubernetesNamespace)
        {
            return;
        }

        var client = new Namespaces.NamespacesClient(Calls);
        var answer = await CallAsync(
            "list its namespaces", options => client.ListAsync(new ListNamespacesRequest(), options), Deadlines.Quick, cancellationToken);
        if (!answer.Namespaces.Any(entry => entry.Name == Namespace))
        {
            var names = string.Join(", ", answer.Namespaces.Select(entry => entry.Name).Order(StringComparer.Ordinal));
            throw new ConversionException(
                $"containerd at {Address} has no namespace '{Namespace}'; it has {(names.Length > 0 ? Printable.Of(names) : "none")}, and pods use {KubernetesNamespace}");
        }
    }

    /// <summary>Makes a call with a deadline.</summary>
    /// <exception cref="ConversionException">It failed.</exception>
    internal async Task<T> CallAsync<T>(string what, Func<CallOptions, AsyncUnaryCall<T>> call, TimeSpan deadline, CancellationToken cancellationToken)
    {
        try
        {
            using var running = call(Options(deadline, cancellationToken));
            return await running;
        }
        catch (RpcException e)
        {
            throw ContainerdFailures.Of(Address, what, e, cancellationToken);
        }
    }

    /// <summary>As <see cref="CallAsync"/>, but null for answers of one kind, which the caller expects.</summary>
    internal async Task<T?> TryCallAsync<T>(
        string what, StatusCode expected, Func<CallOptions, AsyncUnaryCall<T>> call, TimeSpan deadline, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            using var running = call(Options(deadline, cancellationToken));
            return await running;
        }
        catch (RpcException e) when (e.StatusCode == expected)
        {
            return null;
        }
        catch (RpcException e)
        {
            throw ContainerdFailures.Of(Address, what, e, cancellationToken);
        }
    }

    /// <summary>What goes with each call. Streams have no deadline: they are watched while they run.</summary>
    internal CallOptions Options(TimeSpan? deadline, CancellationToken cancellationToken)
    {
        var headers = new Metadata { { "containerd-namespace", Namespace } };
        if (_lease is { } lease)
        {
            headers.Add("containerd-lease", lease);
        }

        return new CallOptions(headers, deadline is { } time ? TimeProvider.System.GetUtcNow().UtcDateTime + time : null, cancellationToken);
    }

    private static void CheckNamespace(string name)
    {
        if (name.Length > MaxNamespace || !NamespaceGrammar().IsMatch(name))
        {
            throw new InvalidDataException(
                $"'{Printable.Of(name)}' is not a namespace of containerd: write up to {MaxNamespace} letters and digits, joined by '.', '_' or '-'");
        }
    }

    /// <summary>containerd, pkg/identifiers/validate.go.</summary>
    [GeneratedRegex(@"\A[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*\z", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex NamespaceGrammar();
}
