using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>Thrown when a layer cannot be imported. The message is one line, and names the tar entry if one is at fault.</summary>
public sealed class LayerImportException : ConversionException
{
    private const int MaxShownName = 200;

    internal LayerImportException(string entryName, long tarOffset, string reason, Exception? cause = null)
        : base($"entry '{Shown(entryName)}' at offset {tarOffset}: {reason}", cause)
    {
        EntryName = entryName;
        TarOffset = tarOffset;
    }

    internal LayerImportException(string reason, Exception? cause = null)
        : base(reason, cause)
    {
    }

    /// <summary>For an entry that may or may not come from a tar.</summary>
    internal static LayerImportException Of(CimPath path, long? tarOffset, Exception cause) => tarOffset is { } offset
        ? new LayerImportException(path.Value, offset, cause.Message, cause)
        : new LayerImportException($"entry '{Shown(path.Value)}': {cause.Message}", cause);

    /// <summary>The name of the tar entry at fault, as in the tar; null if no entry is.</summary>
    public string? EntryName { get; }

    /// <summary>
    /// The offset of the entry's header in the uncompressed tar, in bytes; null if no entry is at fault, or it does not come from a tar.
    /// </summary>
    public long? TarOffset { get; }

    /// <summary>Names come from the tar: their control characters must not reach a terminal, nor begin a new line of a log.</summary>
    private static string Shown(string name)
    {
        var text = name.Length <= MaxShownName ? name : string.Concat(name.AsSpan(0, MaxShownName), "...");
        return Printable.WithoutControls(text.Replace('/', CimPath.Separator));
    }
}
