using CimConvert.Layers.Hives;
using CimConvert.Storage;

namespace CimConvert.Layers;

/// <summary>
/// The folder <c>Hives</c> beside a block file. Layers in the same folder share it and must not replace one another's hives, or layers
/// imported on top would be merged with the wrong ones.
/// </summary>
internal static class HivesBesideCim
{
    /// <summary>Moves a layer's hives into the folder.</summary>
    /// <returns>The files that did not exist before, for <see cref="Remove"/>.</returns>
    /// <exception cref="IOException">A different hive of that name exists; then none is moved.</exception>
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
            // An import that was killed just before its CIM got its final name leaves the same hive.
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

    /// <summary>Removes the moved files, and the folder if it is empty then.</summary>
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
