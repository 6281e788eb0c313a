using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Managed;

/// <summary>Writes the CIM v2 layout in our one-file container, on any system.</summary>
public sealed class ManagedBackend : IImageBackend
{
    public string Name => ImageBackends.Managed;

    public IImageWriter Create(string blockFile, string cimName, ImageOptions options) =>
        ManagedImageWriter.Create(blockFile, cimName, options);

    public IImageWriter CreateForked(string cimFile, string? parentCim)
    {
        ForkedCim.CheckDirectory(cimFile, parentCim);
        return ManagedImageWriter.CreateForked(cimFile, parentCim);
    }

    public void CheckSource(ImageSource source) => CimImage.Open(source.BlockFile, source.CimName).Dispose();

    public CommittedImage Merge(
        string blockFile, string cimName, IReadOnlyList<ImageSource> sources, ImageOptions options, CancellationToken cancellation)
    {
        using var file = new PartialBlockFile(blockFile, IntegrityFile.MergedName);
        var open = new List<CimImage>();
        try
        {
            foreach (var source in sources)
            {
                open.Add(CimImage.Open(source.BlockFile, source.CimName));
            }

            CimMerge.Write(file.Blocks.BeginSet(cimName), cimName, [.. open.Select(image => image.Cim)], cancellation);
            return file.Finish(options, cancellation);
        }
        finally
        {
            open.ForEach(image => image.Dispose());
        }
    }
}
