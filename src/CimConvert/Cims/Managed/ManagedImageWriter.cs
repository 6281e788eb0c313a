using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Managed;

/// <summary>One CIM written by <see cref="CimWriter"/>, which gets its name when it is whole.</summary>
internal sealed class ManagedImageWriter : IImageWriter
{
    private readonly IImageTarget _target;
    private readonly CimWriter _cim;
    private readonly CimImage? _parent;
    private readonly ImageOptions _options;

    private ManagedImageWriter(IImageTarget target, CimWriter cim, CimImage? parent, ImageOptions options) =>
        (_target, _cim, _parent, _options) = (target, cim, parent, options);

    /// <summary>Into a block file.</summary>
    public static ManagedImageWriter Create(string blockFile, string cimName, ImageOptions options)
    {
        var file = new PartialBlockFile(blockFile, IntegrityFile.LayerName);
        try
        {
            return new ManagedImageWriter(file, new CimWriter(file.Blocks.BeginSet(cimName), cimName), null, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Into a standard set, forked from another in the same directory.</summary>
    public static ManagedImageWriter CreateForked(string cimFile, string? parentCim)
    {
        CimImage? parent = null;
        PartialCimSet? set = null;
        try
        {
            parent = parentCim is null ? null : CimImage.Open(parentCim, []);
            set = new PartialCimSet(cimFile, parentCim);
            return new ManagedImageWriter(set, CimWriter.Fork(set.Files, Path.GetFileName(cimFile), parent?.Cim), parent, new ImageOptions());
        }
        catch
        {
            set?.Dispose();
            parent?.Dispose();
            throw;
        }
    }

    public GrowingFileDigest? Digest => _target.Digest;

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
        _parent?.Dispose();
        return _target.Finish(_options, cancellation);
    }

    public void Dispose()
    {
        _cim.Dispose();
        _target.Dispose();
        _parent?.Dispose();
    }
}
