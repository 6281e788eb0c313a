using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Pull;
using CimConvert.Registry.Push;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using Microsoft.Extensions.Logging;

namespace CimConvert.Tests.Registry.Push;

/// <summary>A registry to push to, and blobs in files to push.</summary>
internal sealed class PushHarness : IAsyncDisposable
{
    public const string Repository = "mirror/app";
    public const int Chunk = 100_000;

    private readonly TempFolder _folder = new();
    private readonly RegistryOptions _options;

    private PushHarness(FakeRegistry registry, RegistryOptions options, ILoggerFactory? loggers)
    {
        Registry = registry;
        _options = options;
        Client = FakeImage.Client(options, loggers);
    }

    public static RegistryOptions Options { get; } = FakeImage.Options with { UploadChunk = Chunk, CommitTimeout = FakeImage.Options.StallTimeout };

    public FakeRegistry Registry { get; }

    public RegistryClient Client { get; private set; }

    public RegistryPusher Pusher { get; private set; } = null!;

    public ImageReference Target => ImageReference.Parse($"{Registry.Host}/{Repository}:v1");

    /// <summary>What was asked for: <c>METHOD name-of-the-thing</c>, in order.</summary>
    public IEnumerable<string> Steps => Registry.Requests.Where(r => r.Path != "/token").Select(r => $"{r.Method} {Name(r.Path)}{(r.ContentRange is { } range ? " " + range : string.Empty)}");

    public static async Task<PushHarness> StartAsync(RegistryOptions? options = null, ILoggerFactory? loggers = null)
    {
        var registry = await FakeRegistry.StartAsync();
        registry.AddSeparate(Repository);
        var harness = new PushHarness(registry, options ?? Options, loggers);
        harness.Pusher = await harness.Client.PusherToAsync(harness.Target, CancellationToken.None);
        return harness;
    }

    /// <summary>Goes on with credentials.</summary>
    public async Task LogInAsync(ICredentialSource credentials)
    {
        Client.Dispose();
        Client = FakeImage.Client(_options with { Credentials = credentials });
        Pusher = await Client.PusherToAsync(Target, CancellationToken.None);
    }

    public PushedBlob Blob(int size, int seed = 1, string? mountFrom = null)
    {
        var bytes = FakeImage.Bytes(size, seed);
        var path = _folder[$"{size}-{seed}"];
        File.WriteAllBytes(path, bytes);
        return new PushedBlob(Digest.Compute(bytes), size, path, mountFrom);
    }

    public Task<PushOutcome> PushAsync(PushedBlob blob) => Pusher.PushBlobAsync(blob, CancellationToken.None);

    public bool Has(PushedBlob blob) => Registry.HasBlob(Repository, blob.Digest.ToString());

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Registry.DisposeAsync();
        _folder.Dispose();
    }

    private static string Name(string path) => path.Split('/') switch
    {
        [.., "uploads", ""] => "uploads",
        [.., "uploads", var id] => id,
        [.., "blobs", _] => "blob",
        [.., var kind, _] => kind,
        _ => path,
    };
}
