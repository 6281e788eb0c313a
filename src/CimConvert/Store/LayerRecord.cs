using System.Text.Json.Serialization;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary><c>layer.json</c>: what a layer in the store was made from, and which files hold it. docs/store.md lists the fields.</summary>
internal sealed record LayerRecord
{
    /// <summary>Of the source layer's blob, as the source's manifest has it.</summary>
    public required Digest SourceDigest { get; init; }

    /// <summary>Of the uncompressed tar.</summary>
    public required Digest DiffId { get; init; }

    public required Digest ChainId { get; init; }

    /// <summary>Chain IDs of the layers below, nearest first.</summary>
    public required IReadOnlyList<Digest> Parents { get; init; }

    /// <summary>Bytes of the uncompressed tar.</summary>
    public required long UncompressedSize { get; init; }

    /// <summary>Bytes of the layer's regular files: the size that hcsshim's import functions return.</summary>
    public required long FilesSize { get; init; }

    /// <summary>The layer's block file, or the <c>.cim</c> file of its forked CIM.</summary>
    [JsonPropertyName("image")]
    public required FileRecord Cim { get; init; }

    /// <summary>The region and object ID files of a forked CIM, without its parents', sorted by name. Null for a block file.</summary>
    [JsonPropertyName("cimFiles")]
    public IReadOnlyList<RegionFileRecord>? RegionFiles { get; init; }

    public required string Backend { get; init; }
}

/// <summary>A region or object ID file of a forked CIM. The CIMs of layers above need it too, and have a hard link to it.</summary>
/// <param name="File">Name in the layer's folder.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Digest">Of the whole file: its name among the blobs.</param>
internal sealed record RegionFileRecord(string File, long Size, Digest Digest);

/// <summary>A block file in the store, or the <c>.cim</c> file of a forked CIM; also the content of <c>merged.json</c>.</summary>
internal sealed record FileRecord
{
    /// <summary>Name in the layer's folder.</summary>
    public required string File { get; init; }

    /// <summary>Name of the CIM in it.</summary>
    public required string CimName { get; init; }

    /// <summary>In bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Of the whole file: its name among the blobs.</summary>
    public required Digest Digest { get; init; }

    public required bool VhdFooter { get; init; }

    /// <summary>The 32-byte root digest in hex; null for a file that is not sealed.</summary>
    public string? IntegrityRoot { get; init; }

    /// <summary>Digests of the block files that a merged CIM refers to, topmost first; null for a layer's own CIM.</summary>
    public IReadOnlyList<Digest>? Sources { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    NewLine = "\n",
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(LayerRecord))]
[JsonSerializable(typeof(FileRecord))]
internal sealed partial class StoreJson : JsonSerializerContext;
