using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Layers.Hives;
using CimConvert.Layers.UtilityVm;
using Microsoft.Extensions.Logging;

namespace CimConvert.Layers;

/// <summary>
/// Writes a layer into a CIM, entry by entry (hcsshim: <c>CIMLayerWriter</c>); the import of a tar uses it, too. Hives and boot files are
/// added at the layer's end, and so are links, unless the CIM's writer needs them at once. Not thread-safe.
/// </summary>
/// <remarks>
/// After an exception the layer cannot be used: every further call fails. Disposing a writer that was not closed leaves nothing behind.
/// Over 300 lines: one class, as in hcsshim, whose methods check one state.
/// </remarks>
public sealed class CimLayerWriter : IDisposable
{
    private readonly ICimWriter _writer;
    private readonly LayerCim _cim;
    private readonly LayerImportOptions _options;
    private readonly LayerTree _tree;
    private readonly StagingFolder _staging;
    private readonly PendingWork _pending;
    private readonly EntryData _data;
    private IReadOnlyList<RegistryHive>? _deltaHives;
    private CimPath? _lastFile;
    private bool _warnedOfUtilityVm;
    private bool _inCall;
    private bool _closed;
    private (StagedLayer Staged, IReadOnlyList<string> ParentFolders, IHiveMerger Hives)? _standalone;

    /// <param name="cim">The CIM to write to. Not owned: the caller disposes it, committed or not.</param>
    /// <param name="options">The layer's folder, whether it has parents, and its limits.</param>
    internal CimLayerWriter(ICimWriter cim, LayerImportOptions options)
    {
        ArgumentNullException.ThrowIfNull(cim);
        ArgumentNullException.ThrowIfNull(options);
        _writer = cim;
        _options = options;
        _tree = new LayerTree(options.Limits);
        _cim = new LayerCim(_tree, cim);
        _staging = new StagingFolder(options.LayerFolder);
        _pending = new PendingWork(_cim, _tree, _staging, options.IsBase);
        _data = new EntryData(_cim);
    }

    /// <summary>Begins a layer in a new block CIM (hcsshim: <c>NewCimLayerWriter</c>, <c>NewBlockCIMLayerWriter</c>).</summary>
    /// <param name="layer">
    /// The block CIM to create, in a file that must not exist. The layer's hives go into the folder <c>Hives</c> beside it.
    /// </param>
    /// <param name="options">The options; null for a base layer without seal and footer.</param>
    /// <exception cref="ConversionException">The back end cannot write the CIM.</exception>
    public static CimLayerWriter Create(BlockCim layer, BlockCimImportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        options ??= new BlockCimImportOptions();
        var backend = CimBackends.Select(CimBackends.NameOf(options.Backend), options.Block);
        foreach (var parent in options.ParentLayers)
        {
            backend.CheckSource(parent);
        }

        Directory.CreateDirectory(layer.Folder);
        var cim = backend.Create(layer.BlockFile, layer.NameOrDefault, options.Block);
        try
        {
            var staged = new StagedLayer(layer.BlockFile, layer.Folder);
            var parentFolders = options.ParentLayers.Select(parent => parent.Folder).ToArray();
            var importOptions = new LayerImportOptions { IsBase = parentFolders.Length == 0, LayerFolder = staged.Folder, Limits = options.Limits, Logger = options.Logger };
            return new CimLayerWriter(cim, importOptions) { _standalone = (staged, parentFolders, HiveMergers.For(backend)) };
        }
        catch
        {
            cim.Dispose();
            throw;
        }
    }

    /// <summary>The offset in the tar of the entry that the next calls add, for messages only; null if there is no tar.</summary>
    internal long? EntryOffset { get; set; }

    /// <summary>
    /// Adds a file, directory or symbolic link. A file's content follows by <see cref="Write"/>, exactly as many bytes as its metadata
    /// says. Without a security descriptor it gets a null DACL, which allows everyone everything.
    /// </summary>
    /// <exception cref="InvalidDataException">The entry cannot be stored, or the file before it lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    public void Add(CimPath path, in CimFileMetadata metadata)
    {
        BeginCall();
        WarnOfUtilityVm(path);
        ThrowIfRoot(path);
        var isDirectory = metadata.IsDirectory && metadata.Reparse.IsEmpty;
        FileStream? stagedFile = null;
        if (StandardFiles.TryGet(path, out var standard))
        {
            if (metadata.IsDirectory || !metadata.Reparse.IsEmpty)
            {
                throw new InvalidDataException("a directory or link in the place of a file that the importer works on");
            }

            _pending.Claim(path, isDirectory: false, isLinkable: true, isInCim: false, _pending.NextIndex);
            _pending.AddStandardFile(EntryOffset, path, standard, metadata);
            stagedFile = _staging.Create(standard);
        }
        else
        {
            // On Windows a symbolic link to a directory is a directory itself, and a directory has one name only.
            _pending.Claim(path, isDirectory, isLinkable: !metadata.IsDirectory, isInCim: true, LayerTree.NothingPending);
            _cim.CreateFile(path, metadata);
        }

        _lastFile = path;
        _data.Begin(path.Value, metadata.Size, stagedFile);
        _inCall = false;
    }

    /// <summary>
    /// Adds another name for a file of this layer, added before or after, or of a parent. Which one it is, is decided at the layer's end,
    /// or at once if the CIM's writer needs that.
    /// </summary>
    /// <exception cref="InvalidDataException">The name cannot be a link, or the file before it lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    public void AddLink(CimPath path, CimPath target)
    {
        BeginCall();
        WarnOfUtilityVm(path);
        ThrowIfRoot(path);
        ThrowIfRoot(target);
        if (StandardFiles.Contains(path))
        {
            throw new InvalidDataException("a link in the place of a file that the importer works on");
        }

        if (path.IsSameAs(target))
        {
            throw new InvalidDataException("a hard link to itself");
        }

        _tree.CountTarget(target);
        _pending.Claim(path, isDirectory: false, isLinkable: true, isInCim: false, _pending.NextIndex);
        var link = _pending.AddLink(EntryOffset, path, target);
        if (_cim.LinksAtOnce && !StandardFiles.Contains(target))
        {
            _pending.Apply(link, cancellationToken: default);
        }

        _inCall = false;
    }

    /// <summary>Adds an alternate stream to the file added last; its content follows by <see cref="Write"/>.</summary>
    /// <param name="file">The file, compared without regard to case.</param>
    /// <param name="name">The stream's name, without the file's and without <c>:$DATA</c>.</param>
    /// <param name="size">The stream's size in bytes.</param>
    /// <exception cref="InvalidDataException">
    /// The file was not added last or cannot have streams, or the stream before it lacks bytes.
    /// </exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    public void AddAlternateStream(CimPath file, string name, long size)
    {
        BeginCall();
        if (StandardFiles.Contains(file))
        {
            throw new InvalidDataException("an alternate stream of a file that the importer works on");
        }

        if (_lastFile is not { } last || !last.IsSameAs(file))
        {
            throw new InvalidDataException($"an alternate stream that does not follow its file; the last file is '{_lastFile}'");
        }

        _tree.CountStream(name);
        _cim.CreateAlternateStream(last, name, size);
        _data.Begin($"{last}:{name}", size, stagedFile: null);
        _inCall = false;
    }

    /// <summary>Removes a file or directory of the parents. An entry of that name in this layer stays.</summary>
    /// <exception cref="InvalidDataException">The path cannot be removed, or the file before lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    public void Remove(CimPath path)
    {
        BeginCall();
        _tree.CountWhiteout(path);
        _cim.Remove(path);
        _inCall = false;
    }

    /// <summary>
    /// Removes everything that the parents have in a directory; the directory itself stays, or is created if it is missing.
    /// </summary>
    /// <exception cref="InvalidDataException">The back end cannot do it, or the file before lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    public void RemoveContents(CimPath directory)
    {
        BeginCall();
        _tree.CountWhiteout(directory);
        _cim.RemoveContents(directory);
        _inCall = false;
    }

    /// <summary>Writes content of the file or stream added last.</summary>
    /// <exception cref="InvalidDataException">More bytes than the declared size.</exception>
    /// <exception cref="InvalidOperationException">The last call did not add a file or stream, or the layer is closed.</exception>
    public void Write(ReadOnlySpan<byte> data)
    {
        ThrowIfUnusable();
        _data.ThrowIfNotBegun();
        _inCall = true;
        _data.Write(data);
        _inCall = false;
    }

    /// <summary>
    /// Ends the layer's entries: adds the pending work, and what every base layer gets. For a layer with parents, only the merged hives and
    /// the commit are left for <see cref="Close(CancellationToken)"/>, when the parents are complete.
    /// </summary>
    /// <returns>The hives whose deltas are now in the layer's folder, to be merged with the parents' hives.</returns>
    /// <exception cref="LayerImportException">What waited cannot be added.</exception>
    /// <exception cref="InvalidDataException">The file before lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    internal IReadOnlyList<RegistryHive> Finish(CancellationToken cancellationToken)
    {
        BeginCall();
        var baseLayer = _options.IsBase ? new BaseLayer(_cim, _pending, _staging) : null;
        baseLayer?.Prepare();
        _pending.ApplyAll(cancellationToken);
        baseLayer?.Add();
        _deltaHives = new DeltaHives(_cim, _pending, _staging).Keep(_options.IsBase);
        _inCall = false;
        return _deltaHives;
    }

    /// <summary>
    /// Ends the layer: adds the pending work, merges its hives with its parents', and commits the CIM (hcsshim: <c>Close</c>).
    /// </summary>
    /// <param name="cancellationToken">Stops between the steps.</param>
    /// <exception cref="LayerImportException">Pending work cannot be added, or a hive cannot be merged.</exception>
    /// <exception cref="InvalidDataException">The last file lacks bytes, or the CIM cannot be completed.</exception>
    /// <exception cref="InvalidOperationException">The layer was closed before.</exception>
    public void Close(CancellationToken cancellationToken = default)
    {
        var (staged, parentFolders, hives) = _standalone!.Value;
        Close(deltas => staged.Commit(_writer, deltas, parentFolders, hives, cancellationToken), cancellationToken);
    }

    /// <summary>As <see cref="Close(CancellationToken)"/>, for a layer whose folder belongs to the caller.</summary>
    /// <param name="hives">Merges hives.</param>
    /// <param name="parentFolders">The folders of the layers below, nearest first; empty for a base layer.</param>
    /// <param name="cancellationToken">Stops between the steps.</param>
    internal CommittedCim Close(IHiveMerger hives, IReadOnlyList<string> parentFolders, CancellationToken cancellationToken) =>
        Close(deltas => LayerFinish.Commit(_writer, deltas, _options.LayerFolder, parentFolders, hives, cancellationToken), cancellationToken);

    private CommittedCim Close(Func<IReadOnlyList<RegistryHive>, CommittedCim> commit, CancellationToken cancellationToken)
    {
        var deltas = !_closed && !_inCall && _deltaHives is { } finished ? finished : Finish(cancellationToken);
        _inCall = true;
        var cim = commit(deltas);
        (_inCall, _closed) = (false, true);
        return cim;
    }

    /// <summary>Discards a layer that was not closed.</summary>
    public void Dispose()
    {
        _data.Dispose();
        _staging.Dispose();
        if (_standalone is { } standalone)
        {
            _writer.Dispose();
            standalone.Staged.Dispose();
        }
    }

    /// <summary>Begins every call except writes. A call that fails does not reset <c>_inCall</c>, so later calls are refused.</summary>
    private void BeginCall()
    {
        ThrowIfUnusable();
        _inCall = true;
        _data.End();
    }

    private void ThrowIfUnusable()
    {
        if (_inCall)
        {
            throw new InvalidOperationException("an earlier call failed: the layer cannot be used, discard its CIM");
        }

        if (_closed || _deltaHives is not null)
        {
            throw new InvalidOperationException("the layer is closed");
        }
    }

    private void WarnOfUtilityVm(CimPath path)
    {
        if (_options.IsBase || _warnedOfUtilityVm || !UtilityVmFolder.Contains(path))
        {
            return;
        }

        _warnedOfUtilityVm = true;
        _options.Logger?.LogWarning(
            "The layer has files of the utility VM but is not a base layer: the files are kept, but Windows may not use them for a utility VM");
    }

    private static void ThrowIfRoot(CimPath path)
    {
        if (path.IsRoot)
        {
            throw new InvalidDataException("it is, or links to, the root of the layer");
        }
    }
}
