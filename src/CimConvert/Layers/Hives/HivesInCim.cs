using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Storage;

namespace CimConvert.Layers.Hives;

/// <summary>The hives in a layer's CIM: its folder <c>Hives</c> has each of those that lie beside it.</summary>
internal static class HivesInCim
{
    /// <summary>Opens a hive; the caller disposes it.</summary>
    /// <param name="cim">The layer's CIM.</param>
    /// <param name="name">The hive's name in its folder.</param>
    /// <exception cref="InvalidDataException">The CIM has no such hive.</exception>
    public static Stream Open(OpenCim cim, string name)
    {
        var path = CimPath.Parse(RegistryHive.Folder).Append(name);
        return cim.Cim.Find(path) is { IsDirectory: false } entry
            ? cim.Cim.OpenStream(entry.Data)
            : throw new InvalidDataException($"'{path}' is not in the layer's CIM");
    }

    /// <summary>Writes hives beside the CIM, where the layers above look for them.</summary>
    /// <param name="cimFile">The CIM's block file, or its <c>.cim</c> file.</param>
    /// <param name="cimName">The CIM in a block file; null for a <c>.cim</c> file.</param>
    /// <param name="names">The hives' names.</param>
    /// <exception cref="InvalidDataException">The CIM is damaged, or lacks one of them.</exception>
    public static void Extract(string cimFile, string? cimName, IReadOnlyCollection<string> names)
    {
        using var cim = OpenCim.Open(cimFile, cimName);
        var folder = Path.Combine(Path.GetDirectoryName(cimFile)!, RegistryHive.Folder);
        Directory.CreateDirectory(folder);
        foreach (var name in names)
        {
            using var hive = Open(cim, name);
            AtomicFile.Write(Path.Combine(folder, name), file => hive.CopyTo(file));
        }
    }
}
