using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>
/// Checks everything a store holds: blobs against their names, layers and merged CIMs whole, manifests against what they name.
/// Others may write the store meanwhile: what is being made is not looked at, and what went away is no problem.
/// </summary>
internal sealed class StoreVerification(ConversionStore store, CancellationToken cancellationToken)
{
    private readonly List<StoreProblem> _problems = [];

    /// <summary>All that is wrong; none for a good store.</summary>
    public IReadOnlyList<StoreProblem> Run()
    {
        foreach (var chainId in store.LayerIds())
        {
            Try(StorePart.Layer, chainId.ToString(), () => IsInWork(chainId), () => CheckLayer(chainId));
            Try(StorePart.Merged, chainId.ToString(), () => IsMergedInWork(chainId), () => CheckMerged(chainId));
        }

        foreach (var path in store.BlobFiles())
        {
            Try(StorePart.Blob, Path.GetFileName(path), () => !File.Exists(path), () => CheckBlob(path));
        }

        IReadOnlyList<(string Reference, Descriptor Manifest)> images = [];
        Try(StorePart.Index, ImageIndexFile.FileName, () => false, () => images = store.Images());
        foreach (var (reference, manifest) in images)
        {
            Try(StorePart.Image, reference, () => !store.Images().Any(image => image.Reference == reference && image.Manifest.Digest == manifest.Digest), () => CheckManifest(manifest));
        }

        return _problems;
    }

    private void CheckLayer(ChainId chainId)
    {
        var layer = store.FindLayer(chainId) ?? throw new InvalidDataException(
            $"its folder has no valid {StoredLayer.RecordFile}, or not the files it names, or changes to a hive without the merged hive");
        if (layer.ChainId != chainId)
        {
            throw new InvalidDataException($"its {StoredLayer.RecordFile} is that of layer {layer.ChainId}");
        }

        CheckImage(layer.ImagePath, layer.Record.Image, layer.Record.Backend, [], IntegrityFile.LayerName, layer.IsForked);
        foreach (var file in layer.Record.CimFiles ?? [])
        {
            CheckDigest(Path.Combine(layer.Folder, file.File), file.Digest);
        }

        if (layer.Record.Backend == CimBackends.Managed)
        {
            CheckHives(layer);
        }
    }

    private void CheckMerged(ChainId chainId)
    {
        if (store.FindLayer(chainId) is not { } layer)
        {
            return;
        }

        if (layer.Merged is { } merged)
        {
            CheckImage(layer.MergedPath!, merged, layer.Record.Backend, store.SourcesOf(layer), IntegrityFile.MergedName);
        }
        else if (File.Exists(Path.Combine(layer.Folder, StoredLayer.MergedRecordFile)))
        {
            throw new InvalidDataException($"its {StoredLayer.MergedRecordFile} is not valid, or the file it names not there");
        }
    }

    private void CheckImage(string path, FileRecord record, string backend, IReadOnlyList<string> sources, string integrityFile, bool isForked = false)
    {
        var root = IntegrityFile.TryRead(Path.Combine(Path.GetDirectoryName(path)!, integrityFile));
        if ((root is null ? null : Convert.ToHexStringLower(root)) != record.IntegrityRoot)
        {
            throw new InvalidDataException($"the root digest kept beside '{path}' is not the one of its record");
        }

        // Of what Windows' writer wrote, only Windows can look inside; that no byte has changed is seen below.
        if (backend == CimBackends.Managed)
        {
            using var image = OpenCim.Open(path, isForked ? null : record.CimName, sources);
            image.Verify(isForked ? null : path, root, cancellationToken);
        }

        CheckDigest(path, record.Digest);
    }

    private void CheckDigest(string path, Digest recorded)
    {
        var digest = StoredLayer.DigestOf(path, cancellationToken);
        if (digest != recorded)
        {
            throw new InvalidDataException($"'{path}' has the digest {digest}, its record says {recorded}");
        }
    }

    /// <summary>Layers above merge with what is on disk; the image beside it, checked by its digest, says what that must be.</summary>
    private void CheckHives(StoredLayer layer)
    {
        using var image = OpenCim.Open(layer.ImagePath, []);
        foreach (var file in layer.HiveFiles)
        {
            var path = CimPath.Parse(StoredLayer.HivesFolder).Append(Path.GetFileName(file));
            using var inImage = image.Cim.Find(path) is { } entry
                ? image.Cim.OpenStream(entry.Data)
                : throw new InvalidDataException($"'{file}' is not in the layer's image");
            if (StoredLayer.DigestOf(file, cancellationToken) != StoredLayer.DigestOf(inImage, cancellationToken))
            {
                throw new InvalidDataException($"'{file}' is not what the layer's image has as '{path}'");
            }
        }
    }

    private void CheckBlob(string path)
    {
        if (StoredLayer.DigestOf(path, cancellationToken).Hex != Path.GetFileName(path))
        {
            throw new InvalidDataException("its content does not match its name");
        }
    }

    private void CheckManifest(Descriptor descriptor)
    {
        if (store.FindMissing(descriptor) is { } missing)
        {
            throw new InvalidDataException($"blob {missing.Digest} is missing, or not of the {missing.Size} bytes its manifest says");
        }
    }

    /// <summary>Whether the layer is gone, or somebody has claimed it to make it, or its merged CIM.</summary>
    private bool IsInWork(ChainId chainId) => store.IsClaimed(chainId) || !Directory.Exists(store.LayerFolder(chainId));

    private bool IsMergedInWork(ChainId chainId) =>
        IsInWork(chainId) || (store.FindLayer(chainId)?.Record.Parents.Any(parent => store.IsClaimed(new ChainId(parent))) ?? false);

    /// <summary>What fails is looked at once more: it may have been replaced under our eyes.</summary>
    private void Try(StorePart part, string name, Func<bool> isOthersWork, Action check)
    {
        for (var isSecond = false; ; isSecond = true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                check();
                return;
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                if (isOthersWork())
                {
                    return;
                }

                if (isSecond)
                {
                    _problems.Add(new StoreProblem(part, name, e.Message));
                    return;
                }
            }
        }
    }
}
