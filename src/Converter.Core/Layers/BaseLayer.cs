using Converter.Core.Imaging;
using Converter.Formats.Cim;

namespace Converter.Core.Layers;

/// <summary>
/// What a layer without parents gets besides its tar: its hives once more as the bases of child layers, in the image and on
/// disk, and the file that tells Windows that the hives are part of the file system.
/// </summary>
internal sealed class BaseLayer(IImageWriter image, PendingWork pending, StagingFolder staging)
{
    private static ReadOnlySpan<byte> Layout => "vhd-with-hives\n"u8;

    /// <exception cref="LayerImportException">Not all five hives were in the tar.</exception>
    public void CheckHives()
    {
        var missing = RegistryHive.All.Where(hive => !pending.TryGetStandardFile(hive.ConfigPath, out _)).Select(hive => hive.ConfigPath.Value);
        if (string.Join(", ", missing) is { Length: > 0 } names)
        {
            throw new LayerImportException($"a base layer without the registry hives {names}");
        }
    }

    /// <summary>Adds them, after all that comes from the tar.</summary>
    public void Add()
    {
        image.CreateFile(CimPath.Parse(RegistryHive.Folder), EntryMetadata.Made(Win32Attributes.Directory, 0));
        image.CloseStream();
        foreach (var hive in RegistryHive.All)
        {
            pending.TryGetStandardFile(hive.ConfigPath, out var path);
            image.CreateHardLink(hive.BasePath, path);
            staging.Move(hive.ConfigPath, hive.BasePath);
        }

        image.CreateFile(CimPath.Parse("layout"), EntryMetadata.Made(Win32Attributes.Normal, Layout.Length));
        image.Write(Layout);
        image.CloseStream();
    }
}
