using Converter.Core.Imaging;
using Converter.Core.Oci;
using Converter.Formats.Cim;

namespace Converter.Core.Store;

/// <summary>Checks everything a store holds: blobs against their names, layers and merged CIMs whole, manifests against what they name.</summary>
public sealed class StoreVerification(ConversionStore store, CancellationToken cancellation)
{
    private readonly List<string> _problems = [];

    /// <summary>One line for each thing that is wrong; none for a good store.</summary>
    public IReadOnlyList<string> Run()
    {
        foreach (var chainId in store.LayerIds())
        {
            CheckLayer(chainId);
        }

        CheckBlobs();
        foreach (var (reference, manifest) in store.Images())
        {
            Try(reference, () => CheckManifest(manifest));
        }

        return _problems;
    }

    private void CheckLayer(ChainId chainId)
    {
        if (store.FindLayer(chainId) is not { } layer)
        {
            _problems.Add($"layer {chainId}: its folder has no valid {StoredLayer.RecordFile}, or not the files it names, or changes to a hive without the merged hive");
            return;
        }

        Try($"layer {chainId}", () => CheckImage(layer.ImagePath, layer.Record.Image, layer.Record.Backend, [], IntegrityFile.LayerName));
        if (layer.Record.Backend == ImageBackends.Managed)
        {
            Try($"hives of {chainId}", () => CheckHives(layer));
        }

        if (layer.Merged is { } merged)
        {
            Try($"merged CIM of {chainId}", () => CheckImage(layer.MergedPath!, merged, layer.Record.Backend, store.SourcesOf(layer), IntegrityFile.MergedName));
        }
    }

    private void CheckImage(string path, FileRecord record, string backend, IReadOnlyList<string> sources, string integrityFile)
    {
        var root = IntegrityFile.TryRead(Path.Combine(Path.GetDirectoryName(path)!, integrityFile));
        if (backend == ImageBackends.Managed)
        {
            using var image = CimImage.Open(path, record.CimName, sources);
            CimVerification.Run(image, path, root, cancellation);
        }
        else if ((root is null ? null : Convert.ToHexStringLower(root)) != record.IntegrityRoot)
        {
            // Of what Windows' writer wrote, only Windows can look inside; that no byte has changed is seen below.
            throw new InvalidDataException($"the root digest kept beside '{path}' is not the one of its record");
        }

        var digest = StoredLayer.DigestOf(path, cancellation);
        if (digest != record.Digest)
        {
            throw new InvalidDataException($"'{path}' has the digest {digest}, its record says {record.Digest}");
        }
    }

    /// <summary>Layers above merge with what is on disk; the image beside it, checked by its digest, says what that must be.</summary>
    private void CheckHives(StoredLayer layer)
    {
        using var image = CimImage.Open(layer.ImagePath, []);
        foreach (var file in layer.HiveFiles)
        {
            var path = CimPath.Parse(StoredLayer.HivesFolder).Append(Path.GetFileName(file));
            using var inImage = image.Cim.Find(path) is { } entry
                ? image.Cim.OpenStream(entry.Data)
                : throw new InvalidDataException($"'{file}' is not in the layer's image");
            if (StoredLayer.DigestOf(file, cancellation) != StoredLayer.DigestOf(inImage, cancellation))
            {
                throw new InvalidDataException($"'{file}' is not what the layer's image has as '{path}'");
            }
        }
    }

    private void CheckBlobs()
    {
        foreach (var path in store.BlobFiles())
        {
            Try($"blob {Path.GetFileName(path)}", () =>
            {
                if (StoredLayer.DigestOf(path, cancellation).Hex != Path.GetFileName(path))
                {
                    throw new InvalidDataException("its content does not match its name");
                }
            });
        }
    }

    private void CheckManifest(Descriptor descriptor)
    {
        var bytes = File.ReadAllBytes(store.BlobPath(descriptor.Digest));
        if (bytes.Length != descriptor.Size)
        {
            throw new InvalidDataException($"its manifest has {bytes.Length} bytes, the index says {descriptor.Size}");
        }

        var manifest = ImageManifest.Parse(bytes, descriptor.MediaType);
        foreach (var blob in manifest.Layers.Prepend(manifest.Config))
        {
            var file = new FileInfo(store.BlobPath(blob.Digest));
            if (!file.Exists || file.Length != blob.Size)
            {
                throw new InvalidDataException($"blob {blob.Digest} is missing, or not of the {blob.Size} bytes its manifest says");
            }
        }
    }

    private void Try(string what, Action check)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            check();
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            _problems.Add($"{what}: {e.Message}");
        }
    }
}
