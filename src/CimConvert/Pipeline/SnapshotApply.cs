using CimConvert.Containerd;
using CimConvert.Layers;
using CimConvert.Oci;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>What a layer's tar was: containerd compares the diff ID with that of the image's config.</summary>
internal readonly record struct AppliedLayer(DiffId DiffId, long Size);

/// <summary>
/// Makes the layers that containerd asks for while it unpacks an image: reads a blob from its content store, and imports it into the place
/// that a mount names. After a failure that place is empty. A few layers at a time; the others wait.
/// </summary>
/// <param name="backend">Writes the layers.</param>
/// <param name="limits">For each layer.</param>
/// <param name="concurrency">How many layers are imported at once.</param>
/// <param name="cimFsConcurrency">How many of these may be for the snapshotter cimfs.</param>
/// <param name="logger">Told about layers.</param>
internal sealed class SnapshotApply(ContainerdBackend backend, InputLimits limits, int concurrency, int cimFsConcurrency, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(concurrency);
    private readonly SemaphoreSlim _cimFsSlots = new(cimFsConcurrency);

    /// <param name="client">The daemon, in the namespace that has the blob.</param>
    /// <param name="blob">The layer's blob.</param>
    /// <param name="mount">The place.</param>
    /// <param name="cancellationToken">Ends the waiting or the import, and leaves nothing behind.</param>
    /// <exception cref="ConversionException">The daemon does not send the blob, or the layer cannot be imported.</exception>
    /// <exception cref="InvalidDataException">The blob or its tar is damaged.</exception>
    public async Task<AppliedLayer> RunAsync(ContainerdClient client, Descriptor blob, SnapshotMount mount, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        if (mount.Kind != MountKind.CimFs)
        {
            return await RunInTurnAsync(client, blob, mount, start, cancellationToken);
        }

        // Before the other slot: a layer that waits for this one keeps no layer of another snapshotter waiting.
        await _cimFsSlots.WaitAsync(cancellationToken);
        try
        {
            return await RunInTurnAsync(client, blob, mount, start, cancellationToken);
        }
        finally
        {
            _cimFsSlots.Release();
        }
    }

    public void Dispose()
    {
        _slots.Dispose();
        _cimFsSlots.Dispose();
    }

    private static void Record(string stage, long start) =>
        Instruments.StageDuration.Record(TimeProvider.System.GetElapsedTime(start).TotalSeconds, Instruments.Stage(stage));

    private async Task<AppliedLayer> RunInTurnAsync(ContainerdClient client, Descriptor blob, SnapshotMount mount, long start, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        Record("wait", start);
        Instruments.ActiveImports.Add(1);
        start = TimeProvider.System.GetTimestamp();
        try
        {
            var applied = await ImportAsync(client, blob, mount, cancellationToken);
            Instruments.Layers.Add(1, Instruments.Result("converted"));
            return applied;
        }
        catch
        {
            Instruments.Layers.Add(1, Instruments.Result("failed"));
            throw;
        }
        finally
        {
            Record("import", start);
            Instruments.ActiveImports.Add(-1);
            _slots.Release();
        }
    }

    private async Task<AppliedLayer> ImportAsync(ContainerdClient client, Descriptor blob, SnapshotMount mount, CancellationToken cancellationToken)
    {
        var import = new SnapshotImport(backend.Select(mount.Kind, SnapshotImport.OptionsOf(mount)), limits, logger);
        await using var tar = new LayerTar(
            token => client.Content.ReadAsync(blob.Digest, blob.Size, token),
            blob,
            MediaTypes.DescribeLayer(blob.MediaType).Compression,
            limits,
            cancellationToken);
        var (result, cim) = await import.RunAsync(mount, tar, cancellationToken);
        Instruments.Downloaded.Add(blob.Size);
        Instruments.Written.Add(cim.Size);
        logger.LogInformation("layer {Digest}: imported {Entries} entries, {Bytes} bytes, into {Path}", blob.Digest, result.Entries, tar.Size, cim.Path);
        return new AppliedLayer(tar.DiffId, tar.Size);
    }
}
