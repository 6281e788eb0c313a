namespace CimConvert.Formats.Cim;

/// <summary>
/// One name as the sources have it, offered topmost first: what is visible of it. A tombstone ends it; a file hides all below,
/// and is hidden by a directory above it; directories unite until one is opaque.
/// </summary>
internal sealed class MergedName(ImplicitDirectories implicitDirectories)
{
    /// <summary>Topmost first; made only for directories, as most names are files.</summary>
    private List<(SourceEntry Entry, string Name)>? _directories;

    /// <summary>How many of them unite; the others, below an opaque one that its layer did not describe, may describe it.</summary>
    private int _united;
    private int _describing = -1;
    private string _leafName = string.Empty;
    private bool _opaque;
    private bool _closed;

    /// <summary>As the source that describes the entry spells it; where none does, as the lowest that has it.</summary>
    public string Name => Leaf is null && _directories is not null ? NameOfDirectory(_directories) : _leafName;

    /// <summary>A file or link; null for a directory and for nothing.</summary>
    public SourceEntry? Leaf { get; private set; }

    /// <summary>Whether a directory is here: one that a layer described, or put something into.</summary>
    public bool IsDirectory => _directories is not null && !OnlyScaffolds(_directories);

    /// <summary>The directories that unite here, topmost first.</summary>
    public IReadOnlyList<SourceEntry> Directories => _directories is null ? [] : [.. _directories.Take(_united).Select(d => d.Entry)];

    /// <summary>The directory whose metadata stands: the topmost that its layer described.</summary>
    public SourceEntry Describing => _directories![Math.Max(_describing, 0)].Entry;

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
            // What a layer removes from inside a file was never there, and leaves the file as it is.
            if (_directories is null || OnlyScaffolds(_directories))
            {
                (_leafName, Leaf, _directories) = (spelling, candidate, null);
            }

            _closed = true;
        }
    }

    private bool OnlyScaffolds(List<(SourceEntry Entry, string Name)> directories) =>
        directories.TrueForAll(d => implicitDirectories.Contains(d.Entry));

    private string NameOfDirectory(List<(SourceEntry Entry, string Name)> directories) => _describing >= 0
        ? directories[_describing].Name
        : directories.FindLast(d => !implicitDirectories.Contains(d.Entry)).Name ?? directories[0].Name;

    private void OfferDirectory(string spelling, SourceEntry candidate)
    {
        _directories ??= [];
        _directories.Add((candidate, spelling));
        if (!_opaque)
        {
            _united = _directories.Count;
        }

        if (_describing < 0 && !candidate.Entry.Has(CimFileFlags.Implicit))
        {
            _describing = _directories.Count - 1;
        }

        _opaque |= candidate.Entry.Has(CimFileFlags.Opaque);
        _closed = _opaque && _describing >= 0;
    }
}
