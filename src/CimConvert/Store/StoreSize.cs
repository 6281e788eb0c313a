namespace CimConvert.Store;

/// <summary>How much of the disk a store takes.</summary>
internal static class StoreSize
{
    /// <summary>
    /// Bytes of all files. A blob that is a layer's file under another name counts once, as it lies on the disk where the file
    /// system has hard links.
    /// </summary>
    public static long Of(ConversionStore store)
    {
        var linked = new HashSet<string>(StringComparer.Ordinal);
        foreach (var layer in store.LayerIds().Select(store.FindLayer).OfType<StoredLayer>())
        {
            linked.UnionWith(layer.Files.Select(file => file.Digest.Hex));
        }

        // Other processes add and remove files meanwhile.
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.None };
        return new DirectoryInfo(store.Root).EnumerateFiles("*", options).Where(file => file.Exists && !linked.Contains(file.Name)).Sum(file => file.Length);
    }
}
