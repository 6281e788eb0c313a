using CimConvert.TestKit.Servers;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace CimConvert.TestKit.Containerd;

/// <summary>A real containerd with a folder and sockets of its own, which CRI asks as on a node. Disposing kills it.</summary>
public sealed class ContainerdDaemon : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ContainerdProgram program;
    private readonly TempFolder files = new("cimconvert-cd-");
    private readonly string config;
    private ExternalProcess? process;

    private ContainerdDaemon(ContainerdProgram programs, ContainerdSettings settings)
    {
        program = programs;
        Settings = settings;
        config = files.Write("config.toml", System.Text.Encoding.UTF8.GetBytes(ContainerdConfig.Write(settings, files, Socket)));
    }

    public ContainerdSettings Settings { get; }

    /// <summary>The path of its socket.</summary>
    public string Socket => files["containerd.sock"];

    /// <summary>As <c>--containerd</c> takes it.</summary>
    public string Address => "unix://" + Socket;

    public string Root => files["root"];

    /// <summary>The configuration that it was started with.</summary>
    public string ConfigPath => config;

    /// <summary>What it has logged since it was started last.</summary>
    public string Log => process?.Error.ToString() ?? "";

    /// <summary>Go's own variable (crypto/x509).</summary>
    private Dictionary<string, string?> Environment =>
        Settings.Authorities is { } authorities ? new(StringComparer.Ordinal) { ["SSL_CERT_FILE"] = authorities } : new(StringComparer.Ordinal);

    /// <summary>
    /// Makes its configuration and its address, for what is to be there before it: <see cref="RestartAsync"/> starts it. Ends the test as
    /// ignored where the version is not there.
    /// </summary>
    public static ContainerdDaemon Prepare(ContainerdSettings settings) => new(ContainerdProgram.Require(settings.Version), settings);

    /// <summary>Starts one. Ends the test as ignored where the version is not there.</summary>
    public static async Task<ContainerdDaemon> StartAsync(ContainerdSettings settings)
    {
        ContainerdDaemon daemon = Prepare(settings);
        try
        {
            await daemon.RunAsync().ConfigureAwait(false);
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>SIGKILL: what it had not written yet is lost.</summary>
    public async Task KillAsync()
    {
        if (process is not null)
        {
            await process.DisposeAsync().ConfigureAwait(false);
            process = null;
        }
    }

    /// <summary>SIGTERM, and its end.</summary>
    public async Task StopAsync()
    {
        if (process is not null)
        {
            await process.TerminateAsync().ConfigureAwait(false);
            await process.WaitAsync(Patience).ConfigureAwait(false);
            await KillAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Starts it on its folders, killing it before where it still runs.</summary>
    public async Task RestartAsync()
    {
        await KillAsync().ConfigureAwait(false);
        await RunAsync().ConfigureAwait(false);
    }

    public CriClient OpenCri() => new(Socket);

    /// <summary>Runs its <c>ctr</c> in the kubelet's namespace, and gives what it said; fails with all of it and the log.</summary>
    public async Task<string> CtrAsync(params string[] arguments)
    {
        ProcessResult result = await TryCtrAsync(arguments).ConfigureAwait(false);
        return result.ExitCode == 0 ? result.Output : throw Failure($"{result.Command} ended with {result.ExitCode}:\n{result.Error}", null);
    }

    public Task<ProcessResult> TryCtrAsync(params string[] arguments) =>
        ExternalProcess.RunAsync(program.Ctr, ["--address", Socket, "--namespace", "k8s.io", .. arguments], environment: Environment);

    /// <summary>As <see cref="TryCtrAsync"/>, for a command that does not run to its end.</summary>
    public ExternalProcess StartCtr(params string[] arguments) =>
        ExternalProcess.Start(program.Ctr, ["--address", Socket, "--namespace", "k8s.io", .. arguments], Environment);

    /// <summary>The file of a blob in its content store.</summary>
    public string BlobPath(string digest) => Path.Combine(Root, "io.containerd.content.v1.content", "blobs", "sha256", digest["sha256:".Length..]);

    /// <summary>Collects garbage now, and returns when it is done.</summary>
    public async Task CollectGarbageAsync()
    {
        // Deleting a lease and waiting is the API's only way to ask for a collection.
        string lease = (await CtrAsync("leases", "create").ConfigureAwait(false)).Trim();
        await CtrAsync("leases", "delete", "--sync", lease).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync().ConfigureAwait(false);
        files.Dispose();
    }

    private async Task RunAsync()
    {
        process = ExternalProcess.Start(program.Daemon, ["--config", config, "--log-level", "debug"], Environment);
        using GrpcChannel channel = UnixSocket.OpenChannel(Socket);
        CimConvert.Containerd.Api.Version.VersionClient version = new(channel);
        using CriClient cri = OpenCri();
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                // CRI answers later than the daemon, and before that with an error.
                await version.VersionAsync(new Empty()).ConfigureAwait(false);
                await cri.ListImagesAsync().ConfigureAwait(false);
                return;
            }
            catch (RpcException early) when (early.StatusCode is StatusCode.Unavailable or StatusCode.Unknown or StatusCode.Unimplemented)
            {
                if (process.HasExited || TimeProvider.System.GetElapsedTime(start) > Patience)
                {
                    throw Failure("it does not start", early);
                }

                await Task.Delay(20).ConfigureAwait(false);
            }
        }
    }

    private InvalidOperationException Failure(string what, Exception? inner) => new($"containerd {Settings.Version}: {what}\nIts log:\n{Log}", inner);
}
