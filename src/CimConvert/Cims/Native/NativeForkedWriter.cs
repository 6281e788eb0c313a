using CimConvert.Cims.Managed;
using CimConvert.Formats.Binary;
using CimConvert.Formats.Cim;
using CimConvert.Interop;
using CimConvert.Storage;

namespace CimConvert.Cims.Native;

/// <summary>
/// A standard CIM forked from another by Windows' own writer, with the same calls as in hcsshim: removed names are deleted, and links are
/// made at once. Windows looks for the parent beside the new CIM, which is written in a folder of its own; so the parent's files are
/// hard-linked into that folder meanwhile.
/// </summary>
/// <remarks>
/// Missing directories above a file are not created, because the parent CIM may have them; if it does not, the writer reports an error. A
/// name that the layer repeats is deleted first. A name that only the parent has is not: like hcsshim, this leaves the replacement to
/// Windows' writer.
/// </remarks>
internal sealed class NativeForkedWriter : ICimWriter
{
    private readonly PartialCimSet _set;
    private readonly List<string> _parentFiles = [];
    private readonly CimImageHandle _cim;
    private readonly NativeFiles _files;

    public NativeForkedWriter(string cimFile, string? parentCim, string? workFolder = null)
    {
        NativeBackend.RequireForking();
        _set = new PartialCimSet(cimFile, parentCim, workFolder);
        try
        {
            if (parentCim is not null)
            {
                LinkParent(Path.GetFullPath(parentCim));
            }

            var folder = NativePath.Of(_set.Folder);
            NativeErrors.ThrowIfFailed(
                CimFsWriting.CimCreateImage(folder, parentCim is null ? null : Path.GetFileName(parentCim), Path.GetFileName(cimFile), out _cim),
                nameof(CimFsWriting.CimCreateImage),
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

    /// <summary>A hard link: the parent's files are files of this CIM.</summary>
    public void CreateMergeLink(CimPath newPath, CimPath targetPath) => CreateHardLink(newPath, targetPath);

    /// <summary>Deletes the parent's file, if there is one.</summary>
    public void Tombstone(CimPath path)
    {
        _files.ThrowIfOpen();
        var result = CimFsWriting.CimDeletePath(_cim, path.Value);
        if (!NativeErrors.IsNotFound(result))
        {
            NativeErrors.ThrowIfFailed(result, nameof(CimFsWriting.CimDeletePath), path.Value);
        }
    }

    public void MakeOpaque(CimPath directory) => throw NameRefusals.NotOpaque(directory);

    public void Delete(CimPath path) => _files.Delete(path);

    public CommittedCim Commit(CancellationToken cancellationToken)
    {
        _files.ThrowIfOpen();
        cancellationToken.ThrowIfCancellationRequested();
        NativeErrors.ThrowIfFailed(CimFsWriting.CimCommitImage(_cim), nameof(CimFsWriting.CimCommitImage), _set.Folder);
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
                throw new IOException($"'{link}' cannot be made a link to the parent's file: the directory must be on a file system with hard links, such as NTFS");
            }

            _parentFiles.Add(link);
        }
    }
}
