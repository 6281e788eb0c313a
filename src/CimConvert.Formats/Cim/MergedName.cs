namespace CimConvert.Formats.Cim;

/// <summary>
/// Decides what is visible at one name, from the entries that the sources have there, offered topmost first. A tombstone ends
/// the search. A file hides everything below it, unless a directory above hides the file. Directories merge until one is opaque.
/// </summary>
internal sealed class MergedName(ImplicitDirectories implicitDirectories)
{
    /// <summary>Topmost first; allocated for directories only, because most names are files.</summary>
    private List<(SourceEntry Entry, string Name)>? _directories;

    /// <summary>
    /// How many of <see cref="_directories"/> merge. The others lie below an opaque directory that is implicit, and are kept
    /// because one of them supplies its metadata.
    /// </summary>
    private int _mergedCount;

    /// <summary>Index of the first directory that is not implicit; -1 for none so far.</summary>
    private int _metadataIndex = -1;
    private string _leafName = string.Empty;
    private bool _opaque;
    private bool _closed;

    /// <summary>In the spelling of the source that supplies the metadata; if all are implicit, in that of the lowest.</summary>
    public string Name => Leaf is null && _directories is not null ? NameOfDirectory(_directories) : _leafName;

    /// <summary>A file or link; null for a directory and for nothing.</summary>
    public SourceEntry? Leaf { get; private set; }

    /// <summary>Whether the merged CIM has a directory here: one that a layer has an entry for, or an entry in.</summary>
    public bool IsDirectory => _directories is not null && !HoldOnlyWhiteouts(_directories);

    /// <summary>The directories that merge here, topmost first.</summary>
    public IReadOnlyList<SourceEntry> Directories => _directories is null ? [] : [.. _directories.Take(_mergedCount).Select(d => d.Entry)];

    /// <summary>The directory whose metadata the merged directory has: the topmost that is not implicit.</summary>
    public SourceEntry MetadataSource => _directories![Math.Max(_metadataIndex, 0)].Entry;

    public void Offer(string spelling, SourceEntry candidate)
    {
        if (_closed)
        {
            return;
        }

        if (candidate.Entry.Has(CimFileFlags.Tombstone))
        {
            _closed = true;
        }
        else if (candidate.Entry.IsPlainDirectory)
        {
            OfferDirectory(spelling, candidate);
        }
        else
        {
            // Directories that hold only whiteouts do not hide the file: nothing below a file's path exists to be removed.
            if (_directories is null || HoldOnlyWhiteouts(_directories))
            {
                (_leafName, Leaf, _directories) = (spelling, candidate, null);
            }

            _closed = true;
        }
    }

    private bool HoldOnlyWhiteouts(List<(SourceEntry Entry, string Name)> directories) =>
        directories.TrueForAll(d => implicitDirectories.Contains(d.Entry));

    private string NameOfDirectory(List<(SourceEntry Entry, string Name)> directories) => _metadataIndex >= 0
        ? directories[_metadataIndex].Name
        : directories.FindLast(d => !implicitDirectories.Contains(d.Entry)).Name ?? directories[0].Name;

    private void OfferDirectory(string spelling, SourceEntry candidate)
    {
        _directories ??= [];
        _directories.Add((candidate, spelling));
        if (!_opaque)
        {
            _mergedCount = _directories.Count;
        }

        if (_metadataIndex < 0 && !candidate.Entry.Has(CimFileFlags.Implicit))
        {
            _metadataIndex = _directories.Count - 1;
        }

        _opaque |= candidate.Entry.Has(CimFileFlags.Opaque);
        _closed = _opaque && _metadataIndex >= 0;
    }
}
