using CimConvert.Formats.Binary;
using CimConvert.Formats.Windows;

namespace CimConvert.Formats.Cim;

/// <summary>
/// Merges the CIMs of a chain of layers into one that holds metadata only: its streams refer to the sources' regions, which
/// are its parents. Tombstones, opaque directories and merge links are resolved; the merged CIM has none.
/// </summary>
internal sealed class CimMerge
{
    /// <summary>Key in <see cref="Exception.Data"/>: the index of the source whose entry cannot be merged, 0 for the topmost.</summary>
    public const string SourceKey = "source";

    private readonly IReadOnlyList<CimReader> _sources;
    private readonly CancellationToken _cancellationToken;
    private readonly int[] _firstRegion;
    private readonly CimTree _tree = new(SecurityDescriptor.NullDacl.Span);
    private readonly MergedView _view;

    private readonly WalkBudget[] _budgets;
    private readonly Dictionary<(int Source, uint FileId), CimFile> _files = [];
    private readonly Dictionary<(int Source, RegionOffset Offset), int> _descriptors = [];

    private CimMerge(IReadOnlyList<CimReader> sources, CancellationToken cancellationToken)
    {
        _sources = sources;
        _cancellationToken = cancellationToken;
        _view = new MergedView(sources);
        _budgets = [.. sources.Select(s => new WalkBudget(s))];
        _firstRegion = new int[sources.Count];
        var (regions, sets) = (0, 0);
        for (var i = 0; i < sources.Count; i++)
        {
            _firstRegion[i] = regions;
            regions += sources[i].ParentRegions.Sum(p => p.Count) + sources[i].OwnRegions.Count;
            sets += sources[i].ParentRegions.Count + 1;
        }

        // These are the reader's limits; the merged CIM adds one region of its own.
        if (regions >= CimFormat.MaxRegions || sets > CimFormat.MaxParents)
        {
            throw new InvalidDataException(
                $"the sources have {regions} regions in {sets} sets; a merged CIM can have {CimFormat.MaxRegions - 1} in {CimFormat.MaxParents}");
        }
    }

    /// <param name="files">Receives the merged CIM's files. Not owned.</param>
    /// <param name="name">The merged CIM's name.</param>
    /// <param name="sources">At least two CIMs, topmost first. Not owned.</param>
    /// <param name="cancellationToken">Stops the merge and leaves unfinished files.</param>
    /// <exception cref="InvalidDataException">A source is malformed, or a link has no target.</exception>
    public static RegionSet Write(IFileSetWriter files, string name, IReadOnlyList<CimReader> sources, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sources);
        if (sources.Count < 2)
        {
            throw new InvalidDataException($"a merge takes at least two CIMs, not {sources.Count}");
        }

        CimPath.CheckCimName(name);
        var merge = new CimMerge(sources, cancellationToken);
        merge.MergeTrees();
        return CimCommit.Write(files, name, merge._tree, [.. sources.SelectMany(s => s.ParentRegions.Append(s.OwnRegions))], data: []);
    }

    private void MergeTrees()
    {
        var root = _view.Roots(topmost: 0);
        CopyMetadata(_tree.Root, root.MetadataSource);
        var pending = new Stack<(CimPath Path, CimFile Directory, IReadOnlyList<SourceEntry> Sources)>();
        pending.Push((CimPath.Root, _tree.Root, root.Directories));
        while (pending.TryPop(out var merged))
        {
            _cancellationToken.ThrowIfCancellationRequested();
            foreach (var directory in merged.Sources)
            {
                if (!_budgets[directory.Source].Enter(directory.Entry))
                {
                    throw new InvalidDataException($"directory '{merged.Path}' (file {directory.Entry.FileId}) is in source {directory.Source} twice");
                }
            }

            foreach (var name in NamesIn(merged.Sources))
            {
                if (name.Leaf is { } leaf)
                {
                    merged.Directory.Children!.Add(name.Name, FileOf(leaf, merged.Path, name.Name));
                }
                else if (name.IsDirectory)
                {
                    var directory = CimFile.NewDirectory();
                    CopyMetadata(directory, name.MetadataSource);
                    merged.Directory.Children!.Add(name.Name, directory);
                    pending.Push((merged.Path.Append(name.Name), directory, name.Directories));
                }
            }
        }
    }

    private Dictionary<string, MergedName>.ValueCollection NamesIn(IReadOnlyList<SourceEntry> directories)
    {
        var names = new Dictionary<string, MergedName>(NameComparer.Instance);
        foreach (var directory in directories)
        {
            foreach (var (name, entry) in _sources[directory.Source].Children(directory.Entry))
            {
                if (!names.TryGetValue(name, out var merged))
                {
                    names.Add(name, merged = _view.NewName());
                }

                merged.Offer(name, new SourceEntry(directory.Source, entry));
            }
        }

        return names.Values;
    }

    private CimFile FileOf(SourceEntry leaf, CimPath directory, string name)
    {
        var source = leaf.Entry.Has(CimFileFlags.MergeLink) ? _view.Follow(leaf, directory.Append(name)) : leaf;
        if (!_files.TryGetValue((source.Source, source.Entry.FileId), out var file))
        {
            // A directory symlink or junction is a leaf of the tree, but a directory in its record.
            file = source.Entry.IsDirectory ? CimFile.NewDirectory()
                : IsPeImage(source.Entry.Data) ? new CimFile { Data = source.Entry.Data, PeImage = RebasePeImage(source.Source, source.Entry.Data) }
                : new CimFile { Data = Rebase(source.Source, source.Entry.Data) };
            CopyMetadata(file, source);
            _files.Add((source.Source, source.Entry.FileId), file);
        }

        return file;
    }

    private void CopyMetadata(CimFile file, SourceEntry from)
    {
        var (source, entry) = (_sources[from.Source], from.Entry);
        _budgets[from.Source].ReadStreamsOf(entry);
        file.Flags = entry.Flags & ~CimFileFlags.LayerMask;
        file.ReparseTag = entry.ReparseTag;
        file.CreationTime = entry.CreationTime;
        file.LastWriteTime = entry.LastWriteTime;
        file.ChangeTime = entry.ChangeTime;
        file.LastAccessTime = entry.LastAccessTime;
        file.SecurityDescriptor = DescriptorOf(from);
        file.ExtendedAttributes = _tree.Blobs.Add(source.ExtendedAttributes(entry));
        file.Reparse = _tree.Blobs.Add(source.Reparse(entry));
        if (!entry.StreamTable.IsNull)
        {
            file.AlternateStreams = new Dictionary<string, CimAlternateStream>(NameComparer.Instance);
            foreach (var stream in source.AlternateStreams(entry))
            {
                file.AlternateStreams[stream.Name] = new CimAlternateStream(stream.Name, Rebase(from.Source, stream.Stream));
            }
        }
    }

    /// <summary>Caches by offset: a source stores each security descriptor once, so most files share one.</summary>
    private int DescriptorOf(SourceEntry from)
    {
        var key = (from.Source, from.Entry.SecurityDescriptor);
        if (!_descriptors.TryGetValue(key, out var blob))
        {
            blob = _tree.Blobs.Add(_sources[from.Source].SecurityDescriptor(from.Entry));
            _descriptors.Add(key, blob);
        }

        return blob;
    }

    private static bool IsPeImage(CimStream stream) => stream is { Type: CimStreamType.PeImage, IsSparse: false, Length: > 0 };

    /// <summary>A PE image record contains a region offset, so the merged CIM needs its own copy.</summary>
    private int RebasePeImage(int source, CimStream stream) => _tree.Blobs.Add(_sources[source].PeImage(stream).Rebase(_firstRegion[source]));

    private CimStream Rebase(int source, CimStream stream) => stream.Type == CimStreamType.Data || (stream.Type == CimStreamType.PeImage && !IsPeImage(stream))
        ? stream with { Data = stream.Data.Rebase(_firstRegion[source]) }
        : throw new InvalidDataException($"a stream of type {stream.Type} cannot be merged");
}
