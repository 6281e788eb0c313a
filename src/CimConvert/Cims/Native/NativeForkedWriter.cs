using CimConvert.Cims.Managed;
using CimConvert.Formats.Binary;
using CimConvert.Formats.Cim;
using CimConvert.Interop;
using CimConvert.Storage;

namespace CimConvert.Cims.Native;

/// <summary>
/// One standard CIM forked from another by Windows' own writer, call for call as hcsshim does: what is removed is deleted, links are
/// made at once. Windows finds the parent beside the new CIM: while that is written, in a folder of its own, the parent's files are
/// there under further names.
/// </summary>
/// <remarks>
/// Missing directories above a file are not created, as the parent CIM may have them: where it does not, the writer's error says so.
/// A name that comes again in the layer is deleted first. One that only the parent has is not: hcsshim leaves it to the writer
/// to replace it.
/// </remarks>
internal sealed class NativeForkedWriter : ICimWriter
{
    private readonly PartialCimSet _set;
    private readonly List<string> _parentFiles = [];
    private readonly CimImageHandle _cim;
    private readonly NativeFiles _files;

    public NativeForkedWriter(string cimFile, string? parentCim)
    {
        NativeBackend.RequireForking();
        _set = new PartialCimSet(cimFile, parentCim);
        try
        {
            if (parentCim is not null)
            {
                LinkParent(Path.GetFullPath(parentCim));
            }

            var folder = NativePath.Of(_set.Folder);
            NativeErrors.ThrowIfFailed(
                CimFsNative.CimCreateImage(folder, parentCim is null ? null : Path.GetFileName(parentCim), Path.GetFileName(cimFile), out _cim),
                nameof(CimFsNative.CimCreateImage),
                folder);
            _files = new NativeFiles(_cim);
        }
        catch
        {
            _set.Dispose();
            throw;
        }
    }

    public NameHandling Names => NameHandling.Forked;

    public void CreateFile(CimPath path, in CimFileMetadata metadata) => _files.Create(path, metadata);

    public void CreateAlternateStream(CimPath file, string name, long size) => _files.CreateAlternateStream(file, name, size);

    public void Write(ReadOnlySpan<byte> data) => _files.Write(data);

    public void CloseStream() => _files.CloseStream();

    public void CreateHardLink(CimPath newPath, CimPath existingPath) => _files.CreateHardLink(newPath, existingPath);

    /// <summary>The parent's files are files of this CIM.</summary>
    public void CreateMergeLink(CimPath newPath, CimPath targetPath) => CreateHardLink(newPath, targetPath);

    /// <summary>Removes the parent's file, if it has one there.</summary>
    public void Tombstone(CimPath path)
    {
        _files.ThrowIfOpen();
        var result = CimFsNative.CimDeletePath(_cim, path.Value);
        if (!NativeErrors.IsNotFound(result))
        {
            NativeErrors.ThrowIfFailed(result, nameof(CimFsNative.CimDeletePath), path.Value);
        }
    }

    public void MakeOpaque(CimPath directory) => throw NameRefusals.NotOpaque(directory);

    public void Delete(CimPath path) => _files.Delete(path);

    public CommittedCim Commit(CancellationToken cancellationToken)
    {
        _files.ThrowIfOpen();
        cancellationToken.ThrowIfCancellationRequested();
        NativeErrors.ThrowIfFailed(CimFsNative.CimCommitImage(_cim), nameof(CimFsNative.CimCommitImage), _set.Folder);
        _cim.Dispose();
        _parentFiles.ForEach(File.Delete);
        foreach (var file in Directory.EnumerateFiles(_set.Folder))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            stream.Flush(flushToDisk: true);
        }

        return _set.Finish(new BlockCimOptions(), cancellationToken);
    }

    public void Dispose()
    {
        _files.Dispose();
        _cim.Dispose();
        _set.Dispose();
    }

    private void LinkParent(string parentCim)
    {
        var directory = Path.GetDirectoryName(parentCim)!;
        using var file = new FileRandomReader(parentCim);
        var header = CimHeader.Read(file);
        var names = header.Parents.Append(header.Own).SelectMany(set => set.FileNames).Append(Path.GetFileName(parentCim));
        foreach (var name in names.Where(name => File.Exists(Path.Combine(directory, name))))
        {
            var link = Path.Combine(_set.Folder, name);
            if (!HardLink.TryCreate(link, Path.Combine(directory, name)))
            {
                throw new IOException($"'{link}' cannot be made a link to the parent's file: the directory must be on a file system with hard links, as NTFS");
            }

            _parentFiles.Add(link);
        }
    }
}
