using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Sources;

namespace CimConvert.Pipeline;

/// <summary>What is to be made of one layer of an image.</summary>
/// <param name="Index">0 for the base layer.</param>
/// <param name="Count">The number of layers of the image.</param>
/// <param name="Blob">The source blob.</param>
/// <param name="Compression">The compression of the source blob.</param>
/// <param name="DiffId">The digest of the uncompressed tar.</param>
/// <param name="ChainId">The layer's key in the store.</param>
/// <param name="Parents">The chain IDs of the layers below, nearest first.</param>
internal sealed record LayerPlan(
    int Index, int Count, Descriptor Blob, LayerCompression Compression, DiffId DiffId, ChainId ChainId, IReadOnlyList<ChainId> Parents)
{
    /// <summary>The layer's progress, for display.</summary>
    public LayerProgress Progress { get; } = new();

    /// <summary>The layer's name in messages.</summary>
    public string Name => $"layer {Index + 1} of {Count} ({Blob.Digest})";

    /// <summary>Plans the files of a converted image: for each layer one for each of its files, the CIM's last; then the merged CIM's.</summary>
    public static (IReadOnlyList<IReadOnlyList<LayerPlan>> Layers, LayerPlan? Merged) MakePull(ConvertedContent content)
    {
        var layers = content.Layers.Select((layer, index) => (IReadOnlyList<LayerPlan>)[.. layer.Files.Select(file => OfFile(file, index))]).ToArray();
        return (layers, content.Merged is { } merged ? OfFile(merged, content.Layers.Count - 1) : null);

        LayerPlan OfFile(ConvertedFile file, int index)
        {
            var record = content.Layers[index].Record;
            return new LayerPlan(
                index,
                content.Layers.Count,
                file.Blob,
                file.Compression,
                new DiffId(record.DiffId),
                new ChainId(record.ChainId),
                [.. record.Parents.Select(parent => new ChainId(parent))]);
        }
    }

    /// <exception cref="InvalidDataException">The image has no layers, or one of a media type that cannot be read.</exception>
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

/// <summary>The stage that a layer is in.</summary>
public enum LayerStage
{
    /// <summary>Not imported yet; its blob may be downloading.</summary>
    Waiting,

    /// <summary>Its tar is being imported.</summary>
    Importing,

    /// <summary>Its hives are being merged and its CIM committed.</summary>
    Sealing,

    /// <summary>It is in the store.</summary>
    Done,

    /// <summary>It was in the store before.</summary>
    Reused,
}

/// <summary>The progress of one layer. Written by the pipeline; may be read by any thread.</summary>
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

    /// <summary>Bytes of the blob downloaded so far.</summary>
    public long Downloaded => Volatile.Read(ref _downloaded);

    /// <summary>Bytes of the layer's tar decompressed so far.</summary>
    public long Decompressed => Volatile.Read(ref _decompressed);

    internal void AddDownloaded(int bytes) => Interlocked.Add(ref _downloaded, bytes);

    /// <summary>Resets the counts of a layer that is read again from its start.</summary>
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
