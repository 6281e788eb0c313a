using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Tar;

namespace CimConvert.Layers;

/// <summary>One import: goes over the tar's entries, and tells the layer's writer what each one is.</summary>
internal sealed class LayerImporter : IDisposable
{
    private readonly TarReader _tar;
    private readonly SecurityDescriptors _descriptors = new();
    private readonly CimLayerWriter _layer;
    private long _size;
    private long _count;

    public LayerImporter(Stream tar, ICimWriter image, LayerImportOptions options)
    {
        _tar = new TarReader(tar);
        _layer = new CimLayerWriter(image, options);
    }

    public LayerImportResult Run(CancellationToken cancellationToken)
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

    public void Dispose()
    {
        _tar.Dispose();
        _layer.Dispose();
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
        catch (InvalidDataException wrong)
        {
            throw new LayerImportException(_tar.Name, _tar.HeaderOffset, wrong.Message, wrong);
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
                // Every image has its root, and no call sets its metadata.
                break;
            case TarEntryType.RegularFile or TarEntryType.SymbolicLink or TarEntryType.Directory:
                var metadata = EntryMetadata.Read(_tar, _descriptors);
                _layer.Add(path, metadata);
                CopyData(cancellationToken);
                _size += metadata.Size;
                break;
            default:
                throw new InvalidDataException($"an entry of the type {_tar.Type}, which Windows has none of");
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
