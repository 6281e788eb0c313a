using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Tar;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>The result of an import.</summary>
/// <param name="Size">Bytes of the main streams of all regular files, as hcsshim counts a layer's size.</param>
/// <param name="Entries">Number of entries in the tar.</param>
/// <param name="DeltaHives">
/// The hives whose deltas are now in the layer's folder <c>Hives</c>, to be merged with the parents' hives.
/// </param>
internal sealed record LayerImportResult(long Size, long Entries, IReadOnlyList<RegistryHive> DeltaHives);

/// <summary>
/// Reads a layer's tar and passes each entry to the layer's writer, in the same order as hcsshim. It neither merges hives nor commits the
/// CIM: <see cref="LayerFinish"/> does.
/// </summary>
internal sealed class LayerImport : IDisposable
{
    private readonly TarReader _tar;
    private readonly SecurityDescriptors _descriptors = new();
    private readonly CimLayerWriter _layer;
    private long _size;
    private long _count;

    private LayerImport(Stream tar, ICimWriter cim, LayerImportOptions options)
    {
        _tar = new TarReader(tar);
        _layer = new CimLayerWriter(cim, options);
    }

    /// <summary>
    /// Imports an uncompressed tar, and reads its stream to the end. Of the files written to the layer's folder only <c>Hives</c> stays,
    /// and after an error nothing; the caller then discards the CIM.
    /// </summary>
    /// <exception cref="LayerImportException">An entry, or the layer as a whole, cannot be imported.</exception>
    /// <exception cref="InvalidDataException">The tar itself is malformed.</exception>
    public static LayerImportResult Import(Stream tar, ICimWriter cim, LayerImportOptions options, CancellationToken cancellationToken)
    {
        using var import = new LayerImport(tar, cim, options);
        return import.ImportEntries(cancellationToken);
    }

    public void Dispose()
    {
        _tar.Dispose();
        _layer.Dispose();
    }

    private LayerImportResult ImportEntries(CancellationToken cancellationToken)
    {
        while (_tar.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            _count++;
            ImportEntry(cancellationToken);
        }

        _tar.Drain();
        return new LayerImportResult(_size, _count, _layer.Finish(cancellationToken));
    }

    private void ImportEntry(CancellationToken cancellationToken)
    {
        try
        {
            _layer.EntryOffset = _tar.HeaderOffset;
            var name = EntryName.Parse(_tar.Name, _tar.Type == TarEntryType.RegularFile);
            switch (name.Kind)
            {
                case EntryNameKind.Whiteout:
                    _layer.Remove(name.Path);
                    break;
                case EntryNameKind.OpaqueWhiteout:
                    _layer.RemoveContents(name.Path);
                    break;
                case EntryNameKind.AlternateStream:
                    _layer.AddAlternateStream(name.Path, name.Stream, _tar.Size);
                    CopyData(cancellationToken);
                    break;
                default:
                    ImportPlain(name.Path, cancellationToken);
                    break;
            }
        }
        catch (InvalidDataException e)
        {
            throw new LayerImportException(_tar.Name, _tar.HeaderOffset, e.Message, e);
        }
    }

    private void ImportPlain(CimPath path, CancellationToken cancellationToken)
    {
        switch (_tar.Type)
        {
            case TarEntryType.HardLink:
                _layer.AddLink(path, CimPath.Parse(_tar.LinkName));
                break;
            case TarEntryType.Directory when path.IsRoot:
                // Every CIM has a root, and the API has no call that sets its metadata.
                break;
            case TarEntryType.RegularFile or TarEntryType.SymbolicLink or TarEntryType.Directory:
                var metadata = EntryMetadata.Read(_tar, _descriptors);
                _layer.Add(path, metadata);
                CopyData(cancellationToken);
                _size += metadata.Size;
                break;
            default:
                throw EntryMetadata.NotOnWindows(_tar);
        }
    }

    private void CopyData(CancellationToken cancellationToken)
    {
        while (_tar.TryReadData(out var slice))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _layer.Write(slice);
        }
    }
}
