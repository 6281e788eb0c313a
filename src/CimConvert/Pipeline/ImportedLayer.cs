using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>A layer that is imported and verified, but not committed: that waits for its parents. Owns all it is made of.</summary>
/// <param name="folder">Where it is made, and the claim of the layer.</param>
/// <param name="download">What came of its blob.</param>
/// <param name="cim">The CIM being written.</param>
/// <param name="import">What the import put into it.</param>
internal sealed class ImportedLayer(IngestFolder folder, LayerDownload download, ICimWriter cim, LayerImportResult import) : IDisposable
{
    public IngestFolder Folder => folder;

    public LayerDownload Download => download;

    public ICimWriter Cim => cim;

    public LayerImportResult Import => import;

    public void Dispose()
    {
        cim.Dispose();
        download.Dispose();
        folder.Dispose();
    }
}
