using CimConvert.Cims;

namespace CimConvert.Layers;

/// <summary>
/// Turns a layer's tar into calls on an image writer, in the order the reference makes them (shared reference, windows-layers.md).
/// Neither commits the image nor merges hives: whoever opened the image does, and throws it away after an error.
/// </summary>
internal static class LayerImport
{
    /// <summary>
    /// Imports an uncompressed tar, and reads its stream to the very end. Of what the import writes to the layer's folder
    /// only <c>Hives</c> stays, and after an error nothing.
    /// </summary>
    /// <exception cref="LayerImportException">An entry, or the layer as a whole, cannot be imported.</exception>
    /// <exception cref="InvalidDataException">The tar itself is malformed.</exception>
    public static LayerImportResult Run(Stream tar, ICimWriter image, LayerImportOptions options, CancellationToken cancellationToken)
    {
        using var importer = new LayerImporter(tar, image, options);
        return importer.Run(cancellationToken);
    }
}
