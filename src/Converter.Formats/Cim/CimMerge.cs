using Converter.Formats.Binary;

namespace Converter.Formats.Cim;

/// <summary>
/// Merges the CIMs of a chain of layers into one that holds metadata only: its streams point into the sources' regions, which
/// are its parents. Tombstones, opaque directories and merge links are resolved and gone.
/// </summary>
public sealed class CimMerge
{
    private readonly IReadOnlyList<CimReader> _sources;
    private readonly CancellationToken _cancellation;
    private readonly int[] _firstRegion;
    private readonly CimTree _tree = new(SecurityDescriptor.NullDacl.Span);
    private readonly MergedView _view;

    /// <summary>Directories that no layer described, parents before children.</summary>
    private readonly List<(CimFile Parent, string Name)> _implicit = [];
    private readonly Dictionary<(int Source, uint FileId), CimFile> _files = [];
    private readonly Dictionary<(int Source, RegionOffset Offset), int> _descriptors = [];

    private CimMerge(IReadOnlyList<CimReader> sources, CancellationToken cancellation)
    {
        _sources = sources;
        _cancellation = cancellation;
        _view = new MergedView(sources);
        _firstRegion = new int[sources.Count];
        for (var (i, region) = (0, 0); i < sources.Count; i++)
        {
            _firstRegion[i] = region;
            region += sources[i].ParentRegions.Sum(p => p.Count) + sources[i].OwnRegions.Count;
        }
    }

    /// <param name="files">Gets the merged CIM's files. Not owned.</param>
    /// <param name="name">The merged CIM's name.</param>
    /// <param name="sources">At least two, topmost first. Not owned.</param>
    /// <param name="cancellation">Stops the merge; the files are then unfinished.</param>
    /// <exception cref="InvalidDataException">A source does not hold together, or a link has no target.</exception>
    public static RegionSet Write(IFileSetWriter files, string name, IReadOnlyList<CimReader> sources, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(sources);
        if (sources.Count < 2)
        {
            throw new InvalidDataException($"a merge takes at least two CIMs, not {sources.Count}");
        }

        var merge = new CimMerge(sources, cancellation);
        merge.Unite();
        merge.PruneImplicit();
        return CimCommit.Write(files, name, merge._tree, [.. sources.SelectMany(s => s.ParentRegions.Append(s.OwnRegions))], data: []);
    }

    private void Unite()
    {
        var root = new MergedName(string.Empty);
        for (var source = 0; source < _sources.Count; source++)
        {
            root.Offer(string.Empty, new SourceEntry(source, _sources[source].Root));
        }

        Describe(_tree.Root, root.Describing);
        var seen = new HashSet<(int Source, uint FileId)>();
        var open = new Stack<(CimPath Path, CimFile Directory, IReadOnlyList<SourceEntry> From)>();
        open.Push((CimPath.Root, _tree.Root, root.Directories));
        while (open.TryPop(out var at))
        {
            _cancellation.ThrowIfCancellationRequested();
            foreach (var directory in at.From)
            {
                if (!seen.Add((directory.Source, directory.Entry.FileId)))
                {
                    throw new InvalidDataException($"directory '{at.Path}' (file {directory.Entry.FileId}) is in source {directory.Source} twice");
                }
            }

            foreach (var name in NamesIn(at.From))
            {
                if (name.Leaf is { } leaf)
                {
                    at.Directory.Children!.Add(name.Name, FileOf(leaf, at.Path, name.Name));
                }
                else if (name.Directories.Count > 0)
                {
                    var directory = CimFile.NewDirectory();
                    Describe(directory, name.Describing);
                    at.Directory.Children!.Add(name.Name, directory);
                    if (name.Describing.Entry.Has(CimFileFlags.Implicit))
                    {
                        _implicit.Add((at.Directory, name.Name));
                    }

                    open.Push((at.Path.Append(name.Name), directory, name.Directories));
                }
            }
        }
    }

    /// <summary>A directory that only held whiteouts of what no lower layer has is not there.</summary>
    private void PruneImplicit()
    {
        for (var i = _implicit.Count - 1; i >= 0; i--)
        {
            var (parent, name) = _implicit[i];
            if (parent.Children![name].Children!.Count == 0)
            {
                parent.Children.Remove(name);
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
                    names.Add(name, merged = new MergedName(name));
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
            // A link to a directory is a leaf, and a directory all the same.
            file = source.Entry.IsDirectory ? CimFile.NewDirectory() : new CimFile { Data = Rebase(source.Source, source.Entry.Data) };
            Describe(file, source);
            _files.Add((source.Source, source.Entry.FileId), file);
        }

        return file;
    }

    private void Describe(CimFile file, SourceEntry from)
    {
        var (source, entry) = (_sources[from.Source], from.Entry);
        file.Flags = entry.Flags & ~CimFileFlags.LayerMask;
        file.ReparseTag = entry.ReparseTag;
        file.CreationTime = entry.CreationTime;
        file.LastWriteTime = entry.LastWriteTime;
        file.ChangeTime = entry.ChangeTime;
        file.LastAccessTime = entry.LastAccessTime;
        file.SecurityDescriptor = DescriptorOf(from);
        file.ExtendedAttributes = _tree.Blobs.Add(source.ExtendedAttributes(entry));
        file.Reparse = _tree.Blobs.Add(source.Reparse(entry));
        file.AlternateStreams = entry.StreamTable.IsNull
            ? null
            : [.. source.AlternateStreams(entry).Select(s => new CimAlternateStream(s.Name, Rebase(from.Source, s.Stream)))];
    }

    /// <summary>Sources keep each descriptor once, so most files' is known by its offset.</summary>
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

    private CimStream Rebase(int source, CimStream stream) => stream.Type == CimStreamType.Data
        ? stream with { Data = stream.Data.Rebase(_firstRegion[source]) }
        : throw new InvalidDataException($"a stream of type {stream.Type} cannot be merged");
}
