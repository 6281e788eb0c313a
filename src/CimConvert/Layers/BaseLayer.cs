using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>
/// What a layer without parents gets besides its tar: its hives once more as the bases of child layers, in the CIM and on
/// disk, and the file that tells Windows that the hives are part of the file system.
/// </summary>
internal sealed class BaseLayer(LayerCim cim, LayerTree tree, PendingWork pending, StagingFolder staging)
{
    private static readonly CimPath s_hives = CimPath.Parse(RegistryHive.Folder);
    private static readonly CimPath s_layout = CimPath.Parse("layout");

    private static ReadOnlySpan<byte> Layout => "vhd-with-hives\n"u8;

    /// <summary>Looks whether all of it will go, before anything that waited is added.</summary>
    /// <exception cref="LayerImportException">The tar lacks one of the five hives, or has something else in the place of what is to come.</exception>
    public void Prepare()
    {
        var missing = RegistryHive.All.Where(hive => !pending.TryGetStandardFile(hive.ConfigPath, out _)).Select(hive => hive.ConfigPath.Value);
        if (string.Join(", ", missing) is { Length: > 0 } names)
        {
            throw new LayerImportException($"a base layer without the registry hives {names}");
        }

        Claim(s_hives, isDirectory: true);
        foreach (var hive in RegistryHive.All)
        {
            Claim(hive.BasePath, isDirectory: false);
        }

        Claim(s_layout, isDirectory: false);
    }

    /// <summary>Adds it, after all that comes from the tar.</summary>
    public void Add()
    {
        cim.CreateDirectory(s_hives);
        foreach (var hive in RegistryHive.All)
        {
            pending.TryGetStandardFile(hive.ConfigPath, out var path);
            cim.CreateHardLink(hive.BasePath, path);
            staging.Move(hive.ConfigPath, hive.BasePath);
        }

        cim.CreateFile(s_layout, EntryMetadata.Made(Win32Attributes.Normal, Layout.Length));
        cim.Write(Layout);
        cim.CloseStream();
    }

    private void Claim(CimPath path, bool isDirectory)
    {
        try
        {
            // Not in the CIM yet: a link of the tar cannot have it for its target.
            pending.Drop(tree.Claim(path, isDirectory, isLinkable: !isDirectory, isInCim: false, LayerTree.NothingPending));
        }
        catch (InvalidDataException wrong)
        {
            throw new LayerImportException($"a base layer whose tar leaves no place for '{path}': {wrong.Message}");
        }
    }
}
