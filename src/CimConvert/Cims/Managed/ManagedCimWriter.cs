using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Managed;

/// <summary>
/// Where a managed CIM is written. The files get their final names when they are complete; disposing before that removes them.
/// </summary>
internal interface ICimTarget : IDisposable
{
    /// <summary>Flushes what was written to the disk, and gives it its final name.</summary>
    CommittedCim Finish(BlockCimOptions options, CancellationToken cancellationToken);
}

/// <summary>A CIM written by <see cref="CimWriter"/>; it gets its final name when it is complete.</summary>
internal sealed class ManagedCimWriter : ICimWriter
{
    private readonly ICimTarget _target;
    private readonly CimWriter _cim;
    private readonly OpenCim? _parent;
    private readonly BlockCimOptions _options;

    private ManagedCimWriter(ICimTarget target, CimWriter cim, OpenCim? parent, BlockCimOptions options) =>
        (_target, _cim, _parent, _options) = (target, cim, parent, options);

    /// <summary>Begins a CIM in a block file.</summary>
    public static ManagedCimWriter Create(string blockFile, string cimName, BlockCimOptions options)
    {
        var file = new PartialBlockFile(blockFile, IntegrityFile.LayerName, options.Digest);
        try
        {
            return new ManagedCimWriter(file, new CimWriter(file.Blocks.BeginSet(cimName), cimName), null, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Begins a standard CIM, forked from another in the same directory.</summary>
    public static ManagedCimWriter CreateForked(string cimFile, string? parentCim, string? workFolder = null)
    {
        OpenCim? parent = null;
        PartialCimSet? set = null;
        try
        {
            parent = parentCim is null ? null : OpenCim.Open(parentCim, []);
            set = new PartialCimSet(cimFile, parentCim, workFolder);
            return new ManagedCimWriter(set, CimWriter.Fork(set.Files, Path.GetFileName(cimFile), parent?.Cim), parent, new BlockCimOptions());
        }
        catch
        {
            set?.Dispose();
            parent?.Dispose();
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

    public CommittedCim Commit(CancellationToken cancellationToken)
    {
        _cim.Commit();
        _parent?.Dispose();
        return _target.Finish(_options, cancellationToken);
    }

    public void Dispose()
    {
        _cim.Dispose();
        _target.Dispose();
        _parent?.Dispose();
    }
}
