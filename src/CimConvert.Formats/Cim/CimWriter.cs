using CimConvert.Formats.Binary;
using CimConvert.Formats.Windows;

namespace CimConvert.Formats.Cim;

/// <summary>
/// Writes one CIM as a set of standard files. Stream data is written as it arrives; names and metadata stay in memory
/// (some 300 bytes a file) until <see cref="Commit"/> lays them out and writes them. Not thread-safe.
/// </summary>
internal sealed class CimWriter : IDisposable
{
    private readonly IFileSetWriter _files;
    private readonly string _name;
    private readonly CimDataWriter _data;
    private readonly CimTree _tree = new(SecurityDescriptor.NullDacl.Span);
    private readonly bool _isFork;
    private readonly CimReader? _parent;
    private CimFile? _openFile;
    private string? _openStream;
    private bool _committed;

    /// <param name="files">Receives the standard files. Not owned.</param>
    /// <param name="name">The CIM's name, which is the name of its filesystem file (<c>layer.cim</c>).</param>
    public CimWriter(IFileSetWriter files, string name)
        : this(files, name, isFork: false, parent: null)
    {
    }

    private CimWriter(IFileSetWriter files, string name, bool isFork, CimReader? parent)
    {
        CimPath.CheckCimName(name);
        _files = files;
        _name = name;
        _isFork = isFork;
        _parent = parent;
        _data = new CimDataWriter(files, ParentSets.Sum(set => set.Count));
    }

    private IReadOnlyList<RegionSet> ParentSets => _parent is null ? [] : [.. _parent.ParentRegions, _parent.OwnRegions];

    /// <summary>
    /// Starts a forked CIM, which holds a whole file system: the parent's with the layer's entries added and its removals applied.
    /// Unchanged metadata and all of the parent's data are referenced, not copied.
    /// </summary>
    /// <param name="files">Receives the standard files. Not owned.</param>
    /// <param name="name">The CIM's name.</param>
    /// <param name="parent">The CIM to fork from; null for a base layer. Not owned.</param>
    /// <exception cref="InvalidDataException">The parent cannot be forked from.</exception>
    public static CimWriter Fork(IFileSetWriter files, string name, CimReader? parent)
    {
        if (parent is not null)
        {
            CimFork.Check(parent);
        }

        return new CimWriter(files, name, isFork: true, parent);
    }

    /// <summary>Adds a file or directory and opens its default stream, which takes exactly the size in the metadata.</summary>
    /// <exception cref="InvalidDataException">The entry cannot be stored; nothing is added.</exception>
    public void CreateFile(CimPath path, in CimFileMetadata metadata)
    {
        CheckClosed();
        if (metadata.Size != 0 && (metadata.IsDirectory || !metadata.Reparse.IsEmpty))
        {
            throw new InvalidDataException($"'{path}' is a directory or a link and cannot hold {metadata.Size} bytes");
        }

        // The size is checked first and the stream opened last, so that a refused entry leaves neither a file nor an open stream.
        CimDataWriter.CheckSize(metadata.Size);
        _openFile = _tree.Create(path, metadata);
        _data.Begin(metadata.Size);
    }

    /// <summary>Opens an alternate stream, replacing an existing one of that name.</summary>
    public void CreateAlternateStream(CimPath path, string name, long size)
    {
        CheckClosed();
        if (CimPath.ValidateName(name) is { } problem)
        {
            throw new InvalidDataException($"alternate stream '{name}' of '{path}' {problem}");
        }

        var file = _tree.Find(path);
        if (file is null || file.Has(CimFileFlags.Tombstone | CimFileFlags.MergeLink))
        {
            throw new InvalidDataException($"alternate stream '{name}': '{path}' is not a file of this CIM");
        }

        _data.Begin(size);
        (_openFile, _openStream) = (file, name);
    }

    public void Write(ReadOnlySpan<byte> data) => _data.Write(data);

    public void CloseStream()
    {
        var stream = _data.End();
        var file = _openFile!;
        if (_openStream is { } name)
        {
            file.AlternateStreams ??= new Dictionary<string, CimAlternateStream>(NameComparer.Instance);
            file.AlternateStreams[name] = new CimAlternateStream(name, stream);
        }
        else if (!file.IsDirectory)
        {
            file.Data = stream;
        }

        (_openFile, _openStream) = (null, null);
    }

    public void CreateHardLink(CimPath newPath, CimPath existingPath)
    {
        CheckClosed();
        _tree.Link(newPath, existingPath);
    }

    public void CreateMergeLink(CimPath newPath, CimPath targetPath)
    {
        CheckClosed();
        _tree.MergeLink(newPath, targetPath);
    }

    public void Tombstone(CimPath path)
    {
        CheckClosed();
        _tree.Tombstone(path);
    }

    public void MakeOpaque(CimPath directory)
    {
        CheckClosed();
        _tree.MakeOpaque(directory);
    }

    /// <summary>Writes the metadata region, the object ID files and the filesystem file, and gives all files their names.</summary>
    public RegionSet Commit()
    {
        CheckClosed();
        _committed = true;
        var fork = _isFork ? CimFork.Apply(_tree, _parent) : null;
        return CimCommit.Write(_files, _name, _tree, ParentSets, _data.Regions, fork);
    }

    public void Dispose() => _data.Dispose();

    private void CheckClosed()
    {
        if (_committed)
        {
            throw new InvalidOperationException("the CIM is committed");
        }

        if (_openFile is not null)
        {
            throw new InvalidOperationException("a stream is still open");
        }
    }
}
