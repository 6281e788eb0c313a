using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Tar;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>What an import put into its CIM.</summary>
/// <param name="Size">Bytes of all regular files' main streams, as hcsshim counts a layer.</param>
/// <param name="Entries">Entries of the tar.</param>
/// <param name="DeltaHives">The hives whose deltas now lie in the layer's <c>Hives</c> folder, to be merged with those of its parents.</param>
internal sealed record LayerImportResult(long Size, long Entries, IReadOnlyList<RegistryHive> DeltaHives);

/// <summary>
/// Reads a layer's tar and tells the layer's writer what each entry is, in the order hcsshim makes the calls. Neither merges hives
/// nor commits the CIM: <see cref="LayerFinish"/> does.
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
    /// Imports an uncompressed tar, and reads its stream to the very end. Of what the import writes to the layer's folder
    /// only <c>Hives</c> stays, and after an error nothing. Whoever opened the CIM throws it away then.
    /// </summary>
    /// <exception cref="LayerImportException">An entry, or the layer as a whole, cannot be imported.</exception>
    /// <exception cref="InvalidDataException">The tar itself is malformed.</exception>
    public static LayerImportResult Run(Stream tar, ICimWriter cim, LayerImportOptions options, CancellationToken cancellationToken)
    {
        using var import = new LayerImport(tar, cim, options);
        return import.Run(cancellationToken);
    }

    public void Dispose()
    {
        _tar.Dispose();
        _layer.Dispose();
    }

    private LayerImportResult Run(CancellationToken cancellationToken)
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
                // Every CIM has its root, and no call sets its metadata.
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
