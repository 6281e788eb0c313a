using System.Text.Json.Serialization;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary><c>layer.json</c>: what a layer in the store was made from, and what it is.</summary>
internal sealed record LayerRecord
{
    public required Digest SourceDigest { get; init; }

    public required Digest DiffId { get; init; }

    public required Digest ChainId { get; init; }

    /// <summary>Chain IDs of the layers below, nearest first.</summary>
    public required IReadOnlyList<Digest> Parents { get; init; }

    /// <summary>Bytes of the layer's tar.</summary>
    public required long UncompressedSize { get; init; }

    /// <summary>Bytes of the layer's regular files, as the reference importer counts a layer.</summary>
    public required long FilesSize { get; init; }

    public required FileRecord Image { get; init; }

    /// <summary>Of a forked CIM: its own region and object ID files, sorted by name. Null for a block file.</summary>
    public IReadOnlyList<CimFileRecord>? CimFiles { get; init; }

    public required string Backend { get; init; }
}

/// <summary>A region or object ID file of a forked CIM, which layers above have links to.</summary>
/// <param name="File">Name in the layer's folder.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Digest">Of the whole file: its name among the blobs.</param>
internal sealed record CimFileRecord(string File, long Size, Digest Digest);

/// <summary>A block file in the store, or the <c>.cim</c> file of a forked CIM; also the content of <c>merged.json</c>.</summary>
internal sealed record FileRecord
{
    /// <summary>Name in the layer's folder.</summary>
    public required string File { get; init; }

    /// <summary>Name of the CIM in it.</summary>
    public required string CimName { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Of the whole file: its name among the blobs.</summary>
    public required Digest Digest { get; init; }

    public required bool VhdFooter { get; init; }

    /// <summary>Hex of the 32-byte root digest; null where the file is not sealed.</summary>
    public string? IntegrityRoot { get; init; }

    /// <summary>Digests of the block files that a merged CIM was merged from, topmost first; null for a layer's.</summary>
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
