using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Layers.Hives;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>
/// Checks everything in a store: blobs against their names, layers and merged CIMs completely, manifests against the blobs they name.
/// Other processes may use the store meanwhile: what they are making is not checked, and what they removed is no problem.
/// </summary>
internal sealed class StoreVerification(ConversionStore store, CancellationToken cancellationToken)
{
    private readonly List<StoreProblem> _problems = [];

    /// <summary>All problems; empty for a valid store.</summary>
    public IReadOnlyList<StoreProblem> Run()
    {
        foreach (var chainId in store.LayerIds())
        {
            Try(StorePart.Layer, chainId.ToString(), () => IsBeingMade(chainId), () => CheckLayer(chainId));
            Try(StorePart.Merged, chainId.ToString(), () => IsMergedBeingMade(chainId), () => CheckMerged(chainId));
        }

        foreach (var path in store.BlobFiles())
        {
            Try(StorePart.Blob, Path.GetFileName(path), () => !File.Exists(path), () => CheckBlob(path));
        }

        IReadOnlyList<IndexedImage> images = [];
        Try(StorePart.Index, ImageIndexFile.FileName, () => false, () => images = store.Images());
        foreach (var image in images)
        {
            Try(StorePart.Image, image.Name, () => !IsStillThere(image), () => CheckManifest(image.Manifest));
        }

        return _problems;
    }

    private void CheckLayer(ChainId chainId)
    {
        var layer = store.FindLayer(chainId) ?? throw new InvalidDataException(
            $"its folder has no valid {StoredLayer.RecordFile}, lacks a file that it names, or has a delta hive without the merged hive");
        if (layer.ChainId != chainId)
        {
            throw new InvalidDataException($"its {StoredLayer.RecordFile} is that of layer {layer.ChainId}");
        }

        CheckCim(layer.CimFile, layer.Record.Cim, layer.Record.Backend, [], IntegrityFile.LayerName, layer.IsForked);
        foreach (var file in layer.Record.RegionFiles ?? [])
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
            CheckCim(layer.MergedFile!, merged, layer.Record.Backend, store.SourcesOf(layer), IntegrityFile.MergedName);
        }
        else if (File.Exists(Path.Combine(layer.Folder, StoredLayer.MergedRecordFile)))
        {
            throw new InvalidDataException($"its {StoredLayer.MergedRecordFile} is not valid, or the file it names is missing");
        }
    }

    private void CheckCim(string path, FileRecord record, string backend, IReadOnlyList<string> sources, string integrityFile, bool isForked = false)
    {
        var root = IntegrityFile.TryRead(Path.Combine(Path.GetDirectoryName(path)!, integrityFile));
        if ((root is null ? null : Convert.ToHexStringLower(root)) != record.IntegrityRoot)
        {
            throw new InvalidDataException($"the root digest in the file beside '{path}' differs from the one in its record");
        }

        // Only Windows can read what its own writer wrote; the digest below shows that no byte has changed.
        if (backend == CimBackends.Managed)
        {
            using var opened = OpenCim.Open(path, isForked ? null : record.CimName, sources);
            opened.Verify(isForked ? null : path, root, cancellationToken);
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

    /// <summary>Layers above merge with the hives on disk: they must equal those in the layer's CIM, whose digest has been checked.</summary>
    private void CheckHives(StoredLayer layer)
    {
        using var opened = OpenCim.Open(layer.CimFile, []);
        foreach (var file in layer.HiveFiles)
        {
            using var inCim = HivesInCim.Open(opened, Path.GetFileName(file));
            if (StoredLayer.DigestOf(file, cancellationToken) != StoredLayer.DigestOf(inCim, cancellationToken))
            {
                throw new InvalidDataException($"'{file}' differs from the hive of that name in the layer's CIM");
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
            throw new InvalidDataException($"blob {missing.Digest} is missing, or does not have the {missing.Size} bytes that its manifest says");
        }
    }

    private bool IsStillThere(IndexedImage image) =>
        store.Images().Any(other => other.Reference == image.Reference && other.Manifest.Digest == image.Manifest.Digest);

    /// <summary>Whether the layer was removed, or is claimed: then a process is making it or its merged CIM.</summary>
    private bool IsBeingMade(ChainId chainId) => store.Ingest.IsClaimed(chainId) || !Directory.Exists(store.LayerFolder(chainId));

    private bool IsMergedBeingMade(ChainId chainId) =>
        IsBeingMade(chainId) || (store.FindLayer(chainId)?.Record.Parents.Any(parent => store.Ingest.IsClaimed(new ChainId(parent))) ?? false);

    /// <summary>Checks twice before it reports a problem: another process may have replaced the part during the first check.</summary>
    private void Try(StorePart part, string name, Func<bool> isInUse, Action check)
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
                if (isInUse())
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
