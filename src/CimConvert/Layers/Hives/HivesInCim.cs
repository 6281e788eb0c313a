using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Storage;

namespace CimConvert.Layers.Hives;

/// <summary>The hives in a layer's CIM: its folder <c>Hives</c> has each of those that lie beside it.</summary>
internal static class HivesInCim
{
    private const int BufferSize = 1024 * 1024;

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
    /// <param name="cancellationToken">Stops the copying.</param>
    /// <exception cref="InvalidDataException">The CIM is damaged, or lacks one of them, or one is larger than hives can be.</exception>
    public static void Extract(string cimFile, string? cimName, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        using var cim = OpenCim.Open(cimFile, cimName);
        var folder = Path.Combine(Path.GetDirectoryName(cimFile)!, RegistryHive.Folder);
        Directory.CreateDirectory(folder);
        foreach (var name in names)
        {
            using var hive = Open(cim, name);
            AtomicFile.Write(Path.Combine(folder, name), file => Copy(hive, file, name, cancellationToken));
        }
    }

    /// <summary>A stream of a CIM may be sparse, and so claim any length without having a byte.</summary>
    private static void Copy(Stream hive, Stream file, string name, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferSize];
        var total = 0L;
        for (int read; (read = hive.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            total += read;
            if (total > HiveFile.DefaultMaxSize)
            {
                throw new InvalidDataException($"the hive {name} in the layer's CIM is larger than {HiveFile.DefaultMaxSize} bytes");
            }

            file.Write(buffer.AsSpan(0, read));
        }
    }
}
