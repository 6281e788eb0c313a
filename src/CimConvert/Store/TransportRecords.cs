using System.Text.Json;
using System.Text.Json.Serialization;
using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>What a layer's file has become, compressed for transport.</summary>
/// <param name="Content">The digest of the file itself.</param>
/// <param name="Compression">Format and level that were asked for.</param>
/// <param name="Compressed">Whether it was compressed: not every file is worth it.</param>
/// <param name="Digest">Of what is sent.</param>
/// <param name="Size">Bytes of what is sent.</param>
internal sealed record TransportRecord(Digest Content, string Compression, bool Compressed, Digest Digest, long Size);

/// <summary>
/// <c>transport.json</c> in a layer's folder: what its files are compressed to, so that a push to another place need not compress them
/// again to know that they are there. It may be missing, and goes with the layer.
/// </summary>
internal sealed class TransportRecords(ConversionStore store, ChainId layer)
{
    private const string FileName = "transport.json";
    private const int MaxBytes = 1024 * 1024;

    private string FilePath => Path.Combine(store.LayerFolder(layer), FileName);

    /// <returns>Null also while another file's record is being written: the file is then compressed again.</returns>
    public TransportRecord? Find(Digest content, string compression)
    {
        try
        {
            return Read().Find(record => record.Content == content && record.Compression == compression);
        }
        catch (IOException e) when (FileLock.IsHeld(e))
        {
            return null;
        }
    }

    /// <summary>Call under the claim of the file: records of the layer's other files are kept.</summary>
    public async Task AddAsync(TransportRecord added, CancellationToken cancellationToken)
    {
        using var storeLock = await store.LockAsync(cancellationToken);
        if (Directory.Exists(store.LayerFolder(layer)))
        {
            var records = Read().Where(record => record.Content != added.Content || record.Compression != added.Compression).Append(added);
            store.WriteFile(FilePath, JsonSerializer.SerializeToUtf8Bytes(
                records.OrderBy(record => record.Content.Hex, StringComparer.Ordinal).ThenBy(record => record.Compression, StringComparer.Ordinal).ToList(),
                TransportJson.Default.ListTransportRecord));
        }
    }

    private List<TransportRecord> Read()
    {
        var file = new FileInfo(FilePath);
        if (!file.Exists || file.Length > MaxBytes)
        {
            return [];
        }

        try
        {
            // Shared with whoever replaces it.
            using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            return JsonSerializer.Deserialize(stream, TransportJson.Default.ListTransportRecord) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(List<TransportRecord>))]
internal sealed partial class TransportJson : JsonSerializerContext;
