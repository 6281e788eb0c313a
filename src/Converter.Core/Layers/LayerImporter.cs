using Converter.Core.Imaging;
using Converter.Formats.Cim;
using Converter.Formats.Tar;
using Microsoft.Extensions.Logging;

namespace Converter.Core.Layers;

/// <summary>One import: goes over the tar's entries, tells what each one is, and leaves to others what has to wait.</summary>
internal sealed class LayerImporter : IDisposable
{
    private const string UtilityVmFolder = "UtilityVM";

    private readonly IImageWriter _image;
    private readonly LayerImportOptions _options;
    private readonly TarReader _tar;
    private readonly SecurityDescriptors _descriptors = new();
    private readonly LayerEntries _entries = new();
    private readonly StagingFolder _staging;
    private readonly PendingWork _pending;
    private CimPath? _lastFile;
    private bool _warnedOfUtilityVm;
    private long _size;
    private long _count;

    public LayerImporter(Stream tar, IImageWriter image, LayerImportOptions options)
    {
        _image = image;
        _options = options;
        _tar = new TarReader(tar);
        _staging = new StagingFolder(options.LayerFolder);
        _pending = new PendingWork(image, _entries, _staging, options.IsBase);
    }

    public LayerImportResult Run(CancellationToken cancellation)
    {
        while (_tar.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            _count++;
            ImportEntry(cancellation);
        }

        _tar.Drain();
        var baseLayer = _options.IsBase ? new BaseLayer(_image, _entries, _pending, _staging) : null;
        baseLayer?.Prepare();
        _pending.ApplyAll(cancellation);
        baseLayer?.Add();
        return new LayerImportResult(_size, _count, KeepHives());
    }

    public void Dispose()
    {
        _tar.Dispose();
        _staging.Dispose();
    }

    private void ImportEntry(CancellationToken cancellation)
    {
        try
        {
            var name = EntryName.Parse(_tar.Name, _tar.Type == TarEntryType.RegularFile);
            switch (name.Kind)
            {
                case EntryNameKind.Whiteout:
                    _image.Tombstone(name.Path);
                    break;
                case EntryNameKind.OpaqueWhiteout:
                    _image.MakeOpaque(name.Path);
                    break;
                case EntryNameKind.AlternateStream:
                    ImportStream(name, cancellation);
                    break;
                default:
                    ImportPlain(name.Path, cancellation);
                    break;
            }
        }
        catch (InvalidDataException wrong)
        {
            throw new LayerImportException(_tar.Name, _tar.HeaderOffset, wrong.Message, wrong);
        }
    }

    private void ImportPlain(CimPath path, CancellationToken cancellation)
    {
        WarnOfUtilityVm(path);
        switch (_tar.Type)
        {
            case TarEntryType.HardLink:
                ImportLink(path);
                break;
            case TarEntryType.Directory when path.IsRoot:
                // Every image has its root, and no call sets its metadata.
                break;
            case TarEntryType.RegularFile or TarEntryType.SymbolicLink or TarEntryType.Directory:
                ImportFile(path, cancellation);
                break;
            default:
                throw new InvalidDataException($"an entry of the type {_tar.Type}, which Windows has none of");
        }
    }

    private void ImportFile(CimPath path, CancellationToken cancellation)
    {
        ThrowIfRoot(path);
        var metadata = EntryMetadata.Read(_tar, _descriptors);
        var isDirectory = _tar.Type == TarEntryType.Directory;
        if (StandardFiles.TryGet(path, out var standard))
        {
            if (_tar.Type != TarEntryType.RegularFile)
            {
                throw new InvalidDataException($"a {_tar.Type} in the place of a file that the importer works on");
            }

            Claim(path, isDirectory: false, isLinkable: true, isInImage: false, _pending.NextIndex);
            _pending.AddStandardFile(_tar.HeaderOffset, path, standard, metadata);
            _staging.Stage(standard, _tar);
        }
        else
        {
            // A link to a directory is one itself to Windows, and directories have one name only.
            Claim(path, isDirectory, isLinkable: !metadata.IsDirectory, isInImage: true, LayerEntries.NothingPending);
            _image.CreateFile(path, metadata);
            CopyData(cancellation);
        }

        _lastFile = path;
        _size += metadata.Size;
    }

    private void ImportLink(CimPath path)
    {
        ThrowIfRoot(path);
        var target = CimPath.Parse(_tar.LinkName);
        ThrowIfRoot(target);
        if (StandardFiles.Contains(path))
        {
            throw new InvalidDataException("a link in the place of a file that the importer works on");
        }

        if (string.Equals(path.Value, target.Value, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidDataException("a hard link to itself");
        }

        Claim(path, isDirectory: false, isLinkable: true, isInImage: false, _pending.NextIndex);
        _pending.AddLink(_tar.HeaderOffset, path, target);
    }

    private void ImportStream(in EntryName name, CancellationToken cancellation)
    {
        if (StandardFiles.Contains(name.Path))
        {
            throw new InvalidDataException("an alternate stream of a file that the importer works on");
        }

        if (_lastFile is not { } file || !string.Equals(file.Value, name.Path.Value, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidDataException($"an alternate stream that does not follow its file; the last file is '{_lastFile}'");
        }

        _image.CreateAlternateStream(file, name.Stream, _tar.Size);
        CopyData(cancellation);
    }

    private void Claim(CimPath path, bool isDirectory, bool isLinkable, bool isInImage, int pending) =>
        _pending.Drop(_entries.Claim(path, isDirectory, isLinkable, isInImage, pending));

    private void CopyData(CancellationToken cancellation)
    {
        while (_tar.TryReadData(out var slice))
        {
            cancellation.ThrowIfCancellationRequested();
            _image.Write(slice);
        }

        _image.CloseStream();
    }

    private void WarnOfUtilityVm(CimPath path)
    {
        if (_options.IsBase || _warnedOfUtilityVm
            || !(path.Value.Equals(UtilityVmFolder, StringComparison.OrdinalIgnoreCase)
                || path.Value.StartsWith(UtilityVmFolder + CimPath.Separator, StringComparison.OrdinalIgnoreCase)))
        {
            return;
        }

        _warnedOfUtilityVm = true;
        _options.Logger?.LogWarning(
            "The layer has files of the utility VM but is no base layer: they are kept, and Windows may not use them when it starts one");
    }

    private List<RegistryHive> KeepHives()
    {
        var deltas = RegistryHive.All.Where(hive => _pending.TryGetStandardFile(hive.DeltaPath, out _)).ToList();
        var bases = _options.IsBase ? RegistryHive.All.Select(hive => hive.BasePath) : [];
        _staging.Keep([.. deltas.Select(hive => hive.DeltaPath), .. bases]);
        return deltas;
    }

    private static void ThrowIfRoot(CimPath path)
    {
        if (path.IsRoot)
        {
            throw new InvalidDataException("it is, or links to, the root of the image");
        }
    }
}
