using CimConvert.Compression;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Pull;
using CimConvert.Registry.Push;
using CimConvert.Sources;

namespace CimConvert.Publishing;

/// <summary>How converted images are pushed, wherever to.</summary>
/// <param name="Compression">How files are compressed for the registry.</param>
/// <param name="IsForced">Whether a tag may lose what it stands for; see <see cref="PushGuard"/>.</param>
internal sealed record PushSettings(TransportCompression Compression, bool IsForced)
{
    public static PushSettings Default { get; } = new(TransportCompression.Default, IsForced: false);

    /// <exception cref="RegistryException">No host of the registry takes pushes.</exception>
    public async Task<PushOptions> ToAsync(RegistryClient registry, ImageReference target, CancellationToken cancellationToken) =>
        new(await registry.PusherToAsync(target, cancellationToken), this);
}

/// <summary>Where and how a converted image is pushed.</summary>
/// <param name="Target">The repository and tag.</param>
/// <param name="Settings">How.</param>
/// <param name="IsTagged">Whether the image gets the tag; else an index that names it will.</param>
internal sealed record PushOptions(RegistryPusher Target, PushSettings Settings, bool IsTagged = true)
{
    /// <summary>Keeps what the tag stands for from being lost. Before the work that ends in the push, and again before its first upload.</summary>
    public PushGuard Guard => new(Target, Settings.IsForced);

    /// <summary>Checks that the image may be pushed: see <see cref="PushGuard.CheckAsync(ResolvedImage, CancellationToken)"/>.</summary>
    public Task CheckAsync(ResolvedImage image, CancellationToken cancellationToken) => IsTagged ? Guard.CheckAsync(image, cancellationToken) : Task.CompletedTask;
}
