using CimConvert.Formats.Cim;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>
/// A block CIM written by Windows' own writer with the same calls, in the same order, as in hcsshim; the parity tests check that.
/// </summary>
/// <remarks>
/// Where hcsshim relies on undocumented behaviour of the API, the rules of <see cref="NameHandling.Block"/> make the calls explicit; that
/// has not been tried on Windows. Missing parent directories of files get the same metadata as from the managed writer, which then takes
/// precedence over a lower layer's. A whiteout gets no parents: hcsshim's recorded calls have none.
/// </remarks>
internal sealed class NativeCimWriter : ICimWriter
{
    private readonly NativeCim _cim;
    private readonly NativeFiles _files;

    public NativeCimWriter(string blockFile, string cimName, BlockCimOptions options)
    {
        _cim = new NativeCim(blockFile, cimName, IntegrityFile.LayerName, options);
        _files = new NativeFiles(_cim.Handle);
    }

    public NameHandling Names => NameHandling.Block;

    public void CreateFile(CimPath path, in CimFileMetadata metadata) => _files.Create(path, metadata);

    public void CreateAlternateStream(CimPath file, string name, long size) => _files.CreateAlternateStream(file, name, size);

    public void Write(ReadOnlySpan<byte> data) => _files.Write(data);

    public void CloseStream() => _files.CloseStream();

    public void CreateHardLink(CimPath newPath, CimPath existingPath) => _files.CreateHardLink(newPath, existingPath);

    public void CreateMergeLink(CimPath newPath, CimPath targetPath)
    {
        _files.ThrowIfOpen();
        NativeErrors.ThrowIfFailed(
            CimFsWriting.CimCreateMergeLink(_cim.Handle, newPath.Value, targetPath.Value), nameof(CimFsWriting.CimCreateMergeLink), $"{newPath}' -> '{targetPath}");
    }

    public void Tombstone(CimPath path)
    {
        _files.ThrowIfOpen();
        NativeErrors.ThrowIfFailed(CimFsWriting.CimTombstoneFile(_cim.Handle, path.Value), nameof(CimFsWriting.CimTombstoneFile), path.Value);
    }

    public void MakeOpaque(CimPath directory) => throw NameRefusals.NotOpaque(directory);

    public void Delete(CimPath path) => _files.Delete(path);

    public CommittedCim Commit(CancellationToken cancellationToken)
    {
        _files.ThrowIfOpen();
        return _cim.Commit(cancellationToken);
    }

    public void Dispose()
    {
        _files.Dispose();
        _cim.Dispose();
    }
}
