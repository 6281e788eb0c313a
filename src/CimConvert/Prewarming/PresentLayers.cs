using CimConvert.Containerd;
using CimConvert.Oci;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Prewarming;

/// <summary>The layers that are where a list's images go. Changes nothing there.</summary>
internal sealed class PresentLayers : IDisposable
{
    private readonly ConversionStore? _store;
    private readonly ContainerdClient? _client;
    private readonly Snapshotter? _snapshotter;

    private PresentLayers(ConversionStore? store) => _store = store;

    private PresentLayers(ContainerdClient client, Snapshotter snapshotter) => (_client, _snapshotter) = (client, snapshotter);

    /// <exception cref="ConversionException">The daemon does not answer, or has no such snapshotter.</exception>
    public static async Task<PresentLayers> OpenAsync(PrewarmList list, ILogger logger, CancellationToken cancellationToken)
    {
        if (list.Into is not { } into)
        {
            return new PresentLayers(ConversionStore.IsStore(list.Store!) ? ConversionStore.OpenExisting(list.Store!) : null);
        }

        var client = ContainerdClient.Connect(into.Address, into.Namespace, logger);
        try
        {
            return new PresentLayers(client, await client.SnapshotterAsync(into.Snapshotter, cancellationToken));
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async Task<bool> HasAsync(ChainId chainId, CancellationToken cancellationToken) =>
        _snapshotter is not null ? await _snapshotter.HasAsync(chainId, cancellationToken) : _store?.FindLayer(chainId) is not null;

    public void Dispose() => _client?.Dispose();
}
