using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Managed;

/// <summary>Writes CIMs of layout version 2, in this project's own block file format or as a standard set, on any system.</summary>
internal sealed class ManagedBackend : ICimBackend
{
    public string Name => CimBackends.Managed;

    public ICimWriter Create(string blockFile, string cimName, BlockCimOptions options) =>
        ManagedCimWriter.Create(blockFile, cimName, options);

    public ICimWriter CreateForked(string cimFile, string? parentCim, string? workFolder = null)
    {
        StandardCim.RequireOneDirectory(cimFile, parentCim);
        return ManagedCimWriter.CreateForked(cimFile, parentCim, workFolder);
    }

    public void CheckSource(BlockCim source) => OpenCim.Open(source.BlockFile, source.CimName).Dispose();

    public CommittedCim Merge(
        string blockFile, string cimName, IReadOnlyList<BlockCim> sources, BlockCimOptions options, CancellationToken cancellationToken)
    {
        using var file = new PartialBlockFile(blockFile, IntegrityFile.MergedName);
        var open = new List<OpenCim>();
        try
        {
            foreach (var source in sources)
            {
                open.Add(OpenCim.Open(source.BlockFile, source.CimName));
            }

            CimMerge.Write(file.Blocks.BeginSet(cimName), cimName, [.. open.Select(cim => cim.Cim)], cancellationToken);
            return file.Finish(options, cancellationToken);
        }
        finally
        {
            open.ForEach(cim => cim.Dispose());
        }
    }
}
