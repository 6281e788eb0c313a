using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Layers.Hives;
using CimConvert.Publishing;

namespace CimConvert.Pipeline;

/// <summary>A folder with the files of a converted image's layer, all downloaded and right by their digests.</summary>
internal static class ConvertedLayerFolder
{
    /// <summary>
    /// Checks what digests do not tell, and adds what a conversion leaves beside the CIM: the root digest, and the hives that the CIM
    /// can be asked for.
    /// </summary>
    /// <param name="layer">What the manifest says of the layer.</param>
    /// <param name="folder">The folder; of a forked CIM it has the region files of the layers below, too.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The files are not a layer as the manifest describes it.</exception>
    public static void Complete(ConvertedContentLayer layer, string folder, CancellationToken cancellationToken)
    {
        var record = layer.Record;
        var cim = Path.Combine(folder, record.Cim.File);
        if (record.RegionFiles is not null)
        {
            CheckRegions(StandardCim.Open(cim), record.RegionFiles.Select(file => file.File));
        }

        if (record.Cim.IntegrityRoot is { } root)
        {
            ConvertedSeal.Keep(cim, root, IntegrityFile.LayerName, record.Backend, cancellationToken);
        }

        var missing = layer.Hives.Where(hive => !File.Exists(Path.Combine(folder, RegistryHive.Folder, hive))).ToArray();
        if (missing.Length > 0)
        {
            HivesInCim.Extract(cim, record.RegionFiles is null ? record.Cim.CimName : null, missing, cancellationToken);
        }
    }

    /// <summary>The files that a forked CIM says it has must be those of the manifest, and those of the layers below must be there.</summary>
    private static void CheckRegions(StandardCim cim, IEnumerable<string> listed)
    {
        var own = cim.OwnFiles.Where(File.Exists).Select(path => Path.GetFileName(path));
        if (!own.Order(StringComparer.Ordinal).SequenceEqual(listed.Order(StringComparer.Ordinal)))
        {
            throw new InvalidDataException("its CIM has other files than the manifest lists");
        }

        CimVerification.VerifyRegions(cim.Path);
    }
}
