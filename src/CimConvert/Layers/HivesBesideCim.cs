using CimConvert.Layers.Hives;
using CimConvert.Storage;

namespace CimConvert.Layers;

/// <summary>
/// The <c>Hives</c> folder beside an imported block file. Layers that share a folder share it too, and must not replace one
/// another's hives: whoever is imported on top would merge with the wrong ones.
/// </summary>
internal static class HivesBesideCim
{
    /// <summary>Moves a layer's hives to their place.</summary>
    /// <returns>The files that were not there before: what <see cref="Remove"/> takes back.</returns>
    /// <exception cref="IOException">One is there already and is another; then none is moved.</exception>
    public static IReadOnlyList<string> Move(string layerFolder, string target)
    {
        var from = Path.Combine(layerFolder, RegistryHive.Folder);
        if (!Directory.Exists(from))
        {
            return [];
        }

        var to = Path.Combine(target, RegistryHive.Folder);
        var files = Directory.EnumerateFiles(from).Order(StringComparer.Ordinal).Select(file => (From: file, To: Path.Combine(to, Path.GetFileName(file)))).ToArray();
        foreach (var file in files)
        {
            HostLinks.RefuseBelow(target, file.To);
            // The same hive is what an import leaves that was killed just before its image got its name.
            if (File.Exists(file.To) && !FileComparison.AreEqual(file.From, file.To))
            {
                throw new IOException($"'{file.To}' exists already and is another layer's: import each layer into a folder of its own, or remove it first");
            }
        }

        var moved = new List<string>();
        Directory.CreateDirectory(to);
        foreach (var file in files.Where(file => !File.Exists(file.To)))
        {
            File.Move(file.From, file.To);
            moved.Add(file.To);
        }

        return moved;
    }

    /// <summary>Takes back what was moved, and the folder where nothing else is in it.</summary>
    public static void Remove(IReadOnlyList<string> moved)
    {
        foreach (var file in moved)
        {
            File.Delete(file);
        }

        if (moved.Count > 0 && Path.GetDirectoryName(moved[0]) is { } folder && !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }
}
