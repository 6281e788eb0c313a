using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Tar;

namespace CimConvert.Layers.UtilityVm;

/// <summary>What a boot CIM got.</summary>
/// <param name="Size">Bytes of all its files' main streams, each counted once however many names it has.</param>
/// <param name="Entries">Files, directories and links that the layer named; directories made because something lies in them are not counted.</param>
internal sealed record UtilityVmResult(long Size, long Entries);

/// <summary>Writes a base layer's utility VM files into a boot CIM, whose root is their folder, by a plan made of the same tar.</summary>
internal sealed class UtilityVmImport
{
    private readonly LayerCim _cim;
    private readonly UtilityVmPlan _plan;
    private readonly SecurityDescriptors _descriptors = new();
    private CimPath _source;
    private CimPath? _place;
    private long _size;
    private int _placed;

    private UtilityVmImport(LayerCim cim, UtilityVmPlan plan) => (_cim, _plan) = (cim, plan);

    /// <summary>Reads an uncompressed tar to its end. Committing the CIM, or throwing it away after an error, is the caller's.</summary>
    /// <exception cref="LayerImportException">An entry cannot be stored.</exception>
    /// <exception cref="InvalidDataException">The tar is malformed, or not the one that the plan was made of.</exception>
    public static UtilityVmResult Run(Stream tar, ICimWriter cim, UtilityVmPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(cim);
        var placed = new LayerCim(new LayerTree(plan.Limits), cim);
        var import = new UtilityVmImport(placed, plan);
        foreach (var (path, metadata) in plan.Directories)
        {
            placed.CreateFile(path, metadata);
            placed.CloseStream();
        }

        NumberedEntries.ForEach(tar, (reader, number) => import.Take(reader, number, cancellationToken), cancellationToken);
        if (import._placed != plan.PlaceCount)
        {
            throw new InvalidDataException("the layer's tar changed while it was read");
        }

        // Last, when every file that has a place is in it.
        foreach (var (path, target) in plan.Links)
        {
            cancellationToken.ThrowIfCancellationRequested();
            placed.CreateHardLink(path, target);
        }

        return new UtilityVmResult(import._size, import._placed + plan.Links.Count);
    }

    private void Take(TarReader tar, int number, CancellationToken cancellationToken)
    {
        var name = EntryName.Parse(tar.Name, tar.Type == TarEntryType.RegularFile);
        if (name.Kind == EntryNameKind.AlternateStream)
        {
            TakeStream(tar, name, cancellationToken);
        }
        else if (name.Kind == EntryNameKind.Plain && tar.Type != TarEntryType.HardLink)
        {
            TakeFile(tar, name.Path, number, cancellationToken);
        }
    }

    private void TakeFile(TarReader tar, CimPath path, int number, CancellationToken cancellationToken)
    {
        (_source, _place) = (path, null);
        if (!_plan.TryGetPlace(number, out var place))
        {
            return;
        }

        _place = place;
        _placed++;
        if (tar.Type == TarEntryType.Directory)
        {
            return;
        }

        var metadata = EntryMetadata.Read(tar, _descriptors);
        _cim.CreateFile(place, metadata);
        CopyData(tar, cancellationToken);
        _size += metadata.Size;
    }

    private void TakeStream(TarReader tar, in EntryName name, CancellationToken cancellationToken)
    {
        if (!name.Path.IsSameAs(_source))
        {
            // Elsewhere in the layer streams are none of the boot CIM's business, orderly or not.
            if (UtilityVmFolder.TryEnter(name.Path, out _))
            {
                throw new InvalidDataException($"an alternate stream that does not follow its file; the last file is '{_source}'");
            }
        }
        else if (_place is { } place)
        {
            _cim.CreateAlternateStream(place, name.Stream, tar.Size);
            CopyData(tar, cancellationToken);
        }
    }

    private void CopyData(TarReader tar, CancellationToken cancellationToken)
    {
        while (tar.TryReadData(out var slice))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _cim.Write(slice);
        }

        _cim.CloseStream();
    }
}
