using CimConvert.Formats.Cim;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>One block CIM written by Windows' own writer, call for call as hcsshim does; the parity tests hold it to that.</summary>
/// <remarks>
/// What hcsshim leaves to the API's undocumented behaviour, <see cref="NameHandling.Block"/> makes explicit; that has not been tried
/// on Windows. Missing parents of files get the metadata the managed writer gives them, which then stands before a lower
/// layer's (a whiteout gets no parents: the recorded calls have none).
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
            CimFsNative.CimCreateMergeLink(_cim.Handle, newPath.Value, targetPath.Value), nameof(CimFsNative.CimCreateMergeLink), $"{newPath}' -> '{targetPath}");
    }

    public void Tombstone(CimPath path)
    {
        _files.ThrowIfOpen();
        NativeErrors.ThrowIfFailed(CimFsNative.CimTombstoneFile(_cim.Handle, path.Value), nameof(CimFsNative.CimTombstoneFile), path.Value);
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
