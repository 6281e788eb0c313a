using Converter.Formats.Cim;

namespace Converter.Core.Imaging;

/// <summary>One CIM written by <see cref="CimWriter"/> into a block file that gets its name when it is whole.</summary>
internal sealed class ManagedImageWriter : IImageWriter
{
    private readonly PartialBlockFile _file;
    private readonly CimWriter _cim;
    private readonly ImageOptions _options;

    public ManagedImageWriter(string blockFile, string cimName, ImageOptions options)
    {
        _options = options;
        _file = new PartialBlockFile(blockFile, IntegrityFile.LayerName);
        try
        {
            _cim = new CimWriter(_file.Blocks.BeginSet(cimName), cimName);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public void CreateFile(CimPath path, in CimFileMetadata metadata) => _cim.CreateFile(path, metadata);

    public void CreateAlternateStream(CimPath file, string name, long size) => _cim.CreateAlternateStream(file, name, size);

    public void Write(ReadOnlySpan<byte> data) => _cim.Write(data);

    public void CloseStream() => _cim.CloseStream();

    public void CreateHardLink(CimPath newPath, CimPath existingPath) => _cim.CreateHardLink(newPath, existingPath);

    public void CreateMergeLink(CimPath newPath, CimPath targetPath) => _cim.CreateMergeLink(newPath, targetPath);

    public void Tombstone(CimPath path) => _cim.Tombstone(path);

    public void MakeOpaque(CimPath directory) => _cim.MakeOpaque(directory);

    public CommittedImage Commit(CancellationToken cancellation)
    {
        _cim.Commit();
        return _file.Finish(_options, cancellation);
    }

    public void Dispose()
    {
        _cim.Dispose();
        _file.Dispose();
    }
}
