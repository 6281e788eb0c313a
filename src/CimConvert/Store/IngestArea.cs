using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// Claims on layers, and partial downloads: the folder <c>ingest/</c> of a store, or a folder of its own where layers go elsewhere. Several
/// processes may use it at once.
/// </summary>
/// <param name="root">Absolute path.</param>
internal sealed class IngestArea(string root)
{
    private const string FolderName = "ingest";

    public string Root => root;

    /// <summary>The area of a store, or of another folder that keeps claims and partial downloads. Changes nothing.</summary>
    public static IngestArea In(string folder) => new(Path.Combine(folder, FolderName));

    /// <summary>Creates the folder if it is missing. Deletes what killed runs left unfinished in it.</summary>
    /// <exception cref="ConversionException">It is a link: what lies elsewhere is not deleted.</exception>
    public IngestArea Open()
    {
        PrivateFolder.RequireNoLink(root);
        Directory.CreateDirectory(root);
        Leftovers.Sweep(root);
        return this;
    }

    /// <summary>
    /// Claims a layer and returns a folder to make it in; waits while another task or process has the claim. Disposing deletes the
    /// folder and releases the claim.
    /// </summary>
    public Task<IngestFolder> ClaimAsync(ChainId chainId, CancellationToken cancellationToken) =>
        IngestFolder.ClaimAsync(root, chainId.Hex, cancellationToken);

    /// <summary>Claims a name that is no layer's, in the same way.</summary>
    public Task<IngestFolder> ClaimAsync(string name, CancellationToken cancellationToken) => IngestFolder.ClaimAsync(root, name, cancellationToken);

    /// <summary>Whether a task of any process has claimed the layer.</summary>
    public bool IsClaimed(ChainId chainId) => !FileLock.IsFree(Path.Combine(root, chainId.Hex + FileLock.Suffix));

    /// <summary>Opens the partial download of a blob, which is empty if there was none; null while another process has it open.</summary>
    public PartialBlob? TryOpenPartial(Digest digest) => PartialBlob.TryOpen(PartialPath(digest));

    /// <summary>Deletes the partial download of a blob that is no longer needed.</summary>
    public void RemovePartial(Digest digest) => AtomicFile.RemoveAbandoned(PartialPath(digest));

    private string PartialPath(Digest digest) => Path.Combine(root, digest.Hex + PartialBlob.Suffix);
}
