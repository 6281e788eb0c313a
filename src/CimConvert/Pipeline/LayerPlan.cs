using CimConvert.Oci;
using CimConvert.Sources;

namespace CimConvert.Pipeline;

/// <summary>One layer of the image to convert.</summary>
/// <param name="Index">0 for the base layer.</param>
/// <param name="Count">Layers of the image.</param>
/// <param name="Blob">The source blob.</param>
/// <param name="Compression">Of the source blob.</param>
/// <param name="DiffId">What the uncompressed blob must hash to.</param>
/// <param name="ChainId">Where the layer goes in the store.</param>
/// <param name="Parents">Chain IDs below, nearest first.</param>
internal sealed record LayerPlan(
    int Index, int Count, Descriptor Blob, LayerCompression Compression, DiffId DiffId, ChainId ChainId, IReadOnlyList<ChainId> Parents)
{
    /// <summary>How far the layer is; read by whoever shows progress.</summary>
    public LayerProgress Progress { get; } = new();

    /// <summary>Starts messages about the layer.</summary>
    public string Name => $"layer {Index + 1} of {Count} ({Blob.Digest})";

    /// <exception cref="InvalidDataException">A layer is of a type that cannot be read, or there is none.</exception>
    public static IReadOnlyList<LayerPlan> Make(ResolvedImage image)
    {
        var descriptors = image.Manifest.Layers;
        if (descriptors.Count == 0)
        {
            throw new InvalidDataException("the image has no layers");
        }

        var plans = new List<LayerPlan>(descriptors.Count);
        for (var i = 0; i < descriptors.Count; i++)
        {
            var below = i == 0 ? null : plans[i - 1];
            var diffId = image.Config.DiffIds[i];
            plans.Add(new LayerPlan(
                i,
                descriptors.Count,
                descriptors[i],
                MediaTypes.DescribeLayer(descriptors[i].MediaType).Compression,
                diffId,
                ChainId.Of(below?.ChainId, diffId),
                below is null ? [] : [below.ChainId, .. below.Parents]));
        }

        return plans;
    }
}

/// <summary>Where a layer is in the flow.</summary>
public enum LayerStage
{
    /// <summary>Not begun; its blob may be on its way.</summary>
    Waiting,

    /// <summary>Its tar is being read.</summary>
    Importing,

    /// <summary>Its hives are merged, and its CIM is committed.</summary>
    Sealing,

    /// <summary>In the store.</summary>
    Done,

    /// <summary>It was in the store before.</summary>
    Reused,
}

/// <summary>How far one layer is. Written by the pipeline, read at any time by others.</summary>
internal sealed class LayerProgress
{
    private long _downloaded;
    private long _decompressed;
    private int _stage;

    public LayerStage Stage
    {
        get => (LayerStage)Volatile.Read(ref _stage);
        internal set => Volatile.Write(ref _stage, (int)value);
    }

    /// <summary>Bytes of the blob that arrived.</summary>
    public long Downloaded => Volatile.Read(ref _downloaded);

    /// <summary>Bytes of the layer's tar so far.</summary>
    public long Decompressed => Volatile.Read(ref _decompressed);

    internal void AddDownloaded(int bytes) => Interlocked.Add(ref _downloaded, bytes);

    /// <summary>For a layer that is read from its start again.</summary>
    internal void Restart()
    {
        Volatile.Write(ref _downloaded, 0);
        Volatile.Write(ref _decompressed, 0);
    }

    internal void AddDecompressed(int bytes)
    {
        Interlocked.Add(ref _decompressed, bytes);
        Instruments.Decompressed.Add(bytes);
    }
}
