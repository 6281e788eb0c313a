using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;

namespace CimConvert.TestKit.Images;

/// <summary>Writes layers as an image into an OCI image layout. Layers stream through; the same input gives the same bytes.</summary>
public sealed class ImageBuilder
{
    private readonly List<(Action<Stream> Write, LayerCompression Compression, LayerFault Fault, Action<Stream>? Blob)> layers = [];

    public string OperatingSystem { get; init; } = "windows";

    public string Architecture { get; init; } = "amd64";

    public string? OsVersion { get; init; } = "10.0.20348.2031";

    /// <summary>Adds a layer on top of those before it.</summary>
    public ImageBuilder Layer(LayerBuilder layer, LayerCompression compression = LayerCompression.Gzip, LayerFault fault = LayerFault.None) =>
        Layer(layer.WriteTo, compression, fault);

    public ImageBuilder Layer(byte[] tar, LayerCompression compression = LayerCompression.Gzip, LayerFault fault = LayerFault.None) =>
        Layer(output => output.Write(tar), compression, fault);

    public ImageBuilder Layer(Action<Stream> writeTar, LayerCompression compression, LayerFault fault)
    {
        if (fault == LayerFault.TruncatedGzip && compression != LayerCompression.Gzip)
        {
            throw new ArgumentException("An uncompressed layer has no gzip to cut.", nameof(fault));
        }

        if (compression == LayerCompression.Zstd)
        {
            throw new ArgumentException("The framework has no zstd: ZstdLayer takes the program.", nameof(compression));
        }

        layers.Add((writeTar, compression, fault, null));
        return this;
    }

    /// <summary>Adds a layer that the zstd program compresses.</summary>
    public ImageBuilder ZstdLayer(LayerBuilder layer) => Layer(layer.WriteTo, LayerCompression.Zstd, blob => CompressWithZstd(layer.WriteTo, blob));

    /// <summary>Adds a layer that some program has compressed already.</summary>
    public ImageBuilder Layer(Action<Stream> writeTar, LayerCompression compression, Action<Stream> writeBlob)
    {
        layers.Add((writeTar, compression, LayerFault.None, writeBlob));
        return this;
    }

    /// <summary>
    /// Writes the image. A folder that already is a layout gains it: the same reference name is replaced, other images stay.
    /// </summary>
    public OciImage WriteTo(string directory, string refName = "latest")
    {
        OciLayout layout = OciLayout.Open(directory);
        List<OciLayer> written = [];
        JsonArray diffIds = [];
        string? chain = null;
        foreach ((Action<Stream> write, LayerCompression compression, LayerFault fault, Action<Stream>? writeBlob) in layers)
        {
            OciLayer layer = WriteLayer(layout, write, compression, fault, writeBlob, chain);
            chain = layer.ChainId;
            written.Add(layer);
            diffIds.Add(fault == LayerFault.WrongDiffId ? Digests.OfText("not " + layer.DiffId) : layer.DiffId);
        }

        (string configDigest, long configSize) = layout.AddJson(Config(diffIds));
        JsonObject manifest = new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = OciImage.ManifestMediaType,
            ["config"] = Descriptor(OciImage.ConfigMediaType, configDigest, configSize),
            ["layers"] = new JsonArray([.. written.Select(layer => Descriptor(layer.MediaType, layer.Digest, layer.Size))]),
        };
        (string manifestDigest, long manifestSize) = layout.AddJson(manifest);
        JsonObject entry = Descriptor(OciImage.ManifestMediaType, manifestDigest, manifestSize);
        entry["platform"] = Platform();
        layout.AddToIndex(entry, refName);
        return new OciImage(directory, refName, manifestDigest, configDigest, written);
    }

    internal static JsonObject Descriptor(string mediaType, string digest, long size) =>
        new() { ["mediaType"] = mediaType, ["digest"] = digest, ["size"] = size };

    private static OciLayer WriteLayer(OciLayout layout, Action<Stream> write, LayerCompression compression, LayerFault fault, Action<Stream>? writeBlob, string? parentChain)
    {
        using IncrementalHash tarHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        (string digest, long size) = layout.AddBlob(blob =>
        {
            if (writeBlob is not null)
            {
                write(new HashingStream(Stream.Null, tarHash));
                writeBlob(blob);
                return;
            }

            if (compression == LayerCompression.None)
            {
                write(new HashingStream(blob, tarHash));
                return;
            }

            using GZipStream gzip = new(blob, CompressionLevel.Fastest, leaveOpen: true);
            write(new HashingStream(gzip, tarHash));
        });
        if (fault == LayerFault.TruncatedGzip)
        {
            (digest, size) = layout.CutBlob(digest, size / 2);
        }
        else if (fault == LayerFault.WrongContent)
        {
            Corrupter.FlipByteAt(layout.BlobPath(digest), size / 2);
        }

        string diffId = Digests.Text(tarHash.GetHashAndReset());
        string chainId = parentChain is null ? diffId : Digests.OfText(parentChain + " " + diffId);
        string mediaType = "application/vnd.oci.image.layer.v1.tar" + compression switch
        {
            LayerCompression.Gzip => "+gzip",
            LayerCompression.Zstd => "+zstd",
            _ => "",
        };
        return new OciLayer(mediaType, digest, size, diffId, chainId);
    }

    private static void CompressWithZstd(Action<Stream> writeTar, Stream blob)
    {
        using TempFolder folder = new();
        string tar = folder["tar"];
        using (FileStream file = File.Create(tar))
        {
            writeTar(file);
        }

        using FileStream compressed = File.OpenRead(Zstd.CompressFile(tar, folder["zstd"]));
        compressed.CopyTo(blob);
    }

    internal JsonObject Platform()
    {
        JsonObject platform = new() { ["architecture"] = Architecture, ["os"] = OperatingSystem };
        if (OsVersion is not null)
        {
            platform["os.version"] = OsVersion;
        }

        return platform;
    }

    private JsonObject Config(JsonArray diffIds)
    {
        JsonObject config = Platform();
        config["created"] = "2023-11-14T22:13:20Z";
        config["config"] = new JsonObject { ["Cmd"] = new JsonArray("c:\\windows\\system32\\cmd.exe") };
        config["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = diffIds };
        return config;
    }
}

/// <summary>Digests as text, by the kit's own code.</summary>
public static class Digests
{
    public static string Text(ReadOnlySpan<byte> sha256) => "sha256:" + Convert.ToHexStringLower(sha256);

    public static string Of(ReadOnlySpan<byte> content) => Text(SHA256.HashData(content));

    public static string OfText(string text) => Of(Encoding.UTF8.GetBytes(text));

    public static string OfFile(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Text(SHA256.HashData(file));
    }
}
