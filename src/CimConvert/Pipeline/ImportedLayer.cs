using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>A layer that is imported and verified, but not committed, because it waits for its parents. Owns its parts.</summary>
/// <param name="folder">The folder it is written in, which holds the claim of the layer.</param>
/// <param name="download">The download of its blob.</param>
/// <param name="cim">The CIM being written.</param>
/// <param name="import">The result of the import.</param>
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
