using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Layers.Hives;
using Microsoft.Extensions.Logging;

namespace CimConvert.Layers;

/// <summary>
/// Writes a layer entry by entry into a CIM: hcsshim's <c>CIMLayerWriter</c>, and what the import of a tar is made of. Hives and boot
/// files, and links where the CIM's writer does not want them at once, wait until the layer's end. For one thread.
/// </summary>
/// <remarks>
/// After an exception the layer is of no use: every further call says so. Disposing a writer that was not closed leaves nothing behind.
/// </remarks>
public sealed class CimLayerWriter : IDisposable
{
    private const string UtilityVmName = "UtilityVM";

    private readonly ICimWriter _writer;
    private readonly LayerCim _cim;
    private readonly LayerImportOptions _options;
    private readonly LayerTree _tree;
    private readonly StagingFolder _staging;
    private readonly PendingWork _pending;
    private IReadOnlyList<RegistryHive>? _deltaHives;
    private CimPath? _lastFile;
    private FileStream? _stagedFile;
    private string? _current;
    private long _declared;
    private long _left;
    private bool _warnedOfUtilityVm;
    private bool _inCall;
    private bool _closed;
    private (StagedLayer Staged, IReadOnlyList<string> ParentFolders, IHiveMerger Hives)? _own;

    /// <param name="cim">Where the entries go. Not owned: whoever opened it disposes it, committed or not.</param>
    /// <param name="options">Where standard files wait, and whether the layer has parents.</param>
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
    }

    /// <summary>Starts a layer in a new block CIM (hcsshim: <c>NewCimLayerWriter</c>, <c>NewBlockCIMLayerWriter</c>).</summary>
    /// <param name="layer">What to make; nothing may have the file's name yet. The layer's hives go into the folder <c>Hives</c> beside it.</param>
    /// <param name="options">How; null for a base layer without seal and footer.</param>
    /// <exception cref="ConversionException">The back end cannot write it.</exception>
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
            return new CimLayerWriter(cim, importOptions) { _own = (staged, parentFolders, HiveMergers.For(backend)) };
        }
        catch
        {
            cim.Dispose();
            throw;
        }
    }

    /// <summary>Where in its tar the entry lies that the next calls are about: for messages only. Null where there is no tar.</summary>
    internal long? EntryOffset { get; set; }

    /// <summary>
    /// Adds a file, directory or symbolic link. A file's bytes follow by <see cref="Write"/>, as many as its metadata says. Without
    /// a security descriptor it gets the one that lets everyone do everything.
    /// </summary>
    /// <exception cref="InvalidDataException">The entry cannot be stored, or the file before lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    public void Add(CimPath path, in CimFileMetadata metadata)
    {
        BeginCall();
        WarnOfUtilityVm(path);
        ThrowIfRoot(path);
        var isDirectory = metadata.IsDirectory && metadata.Reparse.IsEmpty;
        if (StandardFiles.TryGet(path, out var standard))
        {
            if (metadata.IsDirectory || !metadata.Reparse.IsEmpty)
            {
                throw new InvalidDataException("a directory or link in the place of a file that the importer works on");
            }

            Claim(path, isDirectory: false, isLinkable: true, isInCim: false, _pending.NextIndex);
            _pending.AddStandardFile(EntryOffset, path, standard, metadata);
            _stagedFile = _staging.Create(standard);
        }
        else
        {
            // A link to a directory is one itself to Windows, and directories have one name only.
            Claim(path, isDirectory, isLinkable: !metadata.IsDirectory, isInCim: true, LayerTree.NothingPending);
            _cim.CreateFile(path, metadata);
        }

        _lastFile = path;
        BeginData(path.Value, metadata.Size);
        _inCall = false;
    }

    /// <summary>
    /// Adds another name for a file of this layer, added before or after, or of a parent. Which of them it is, is decided at the
    /// layer's end; where the image wants links at once, now.
    /// </summary>
    /// <exception cref="InvalidDataException">The name cannot be a link, or the file before lacks bytes.</exception>
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
        Claim(path, isDirectory: false, isLinkable: true, isInCim: false, _pending.NextIndex);
        var link = _pending.AddLink(EntryOffset, path, target);
        if (_cim.LinksAtOnce && !StandardFiles.Contains(target))
        {
            _pending.Apply(link, cancellationToken: default);
        }

        _inCall = false;
    }

    /// <summary>Adds an alternate stream to the file added last; its bytes follow by <see cref="Write"/>.</summary>
    /// <param name="file">The file, in any case of its letters.</param>
    /// <param name="name">Without the file's name and without <c>:$DATA</c>.</param>
    /// <param name="size">Bytes it will hold.</param>
    /// <exception cref="InvalidDataException">The file was not added last or takes no streams, or the stream before lacks bytes.</exception>
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
        BeginData($"{last}:{name}", size);
        _inCall = false;
    }

    /// <summary>Removes a file or directory of the parents. An entry of this layer by that name stays.</summary>
    /// <exception cref="InvalidDataException">It cannot be removed, or the file before lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    public void Remove(CimPath path)
    {
        BeginCall();
        _tree.CountWhiteout(path);
        _cim.Remove(path);
        _inCall = false;
    }

    /// <summary>Removes what the parents have in a directory; the directory stays, and is made where it is missing.</summary>
    /// <exception cref="InvalidDataException">It cannot be done, or the file before lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    public void RemoveContents(CimPath directory)
    {
        BeginCall();
        _tree.CountWhiteout(directory);
        _cim.RemoveContents(directory);
        _inCall = false;
    }

    /// <summary>Writes bytes to the file or stream added last.</summary>
    /// <exception cref="InvalidDataException">More bytes than it was declared to hold.</exception>
    /// <exception cref="InvalidOperationException">The last call added no file or stream, or the layer is closed.</exception>
    public void Write(ReadOnlySpan<byte> data)
    {
        ThrowIfUnusable();
        if (_current is null)
        {
            throw new InvalidOperationException("there is no file to write to: the last call did not add one");
        }

        _inCall = true;
        if (data.Length > _left)
        {
            throw new InvalidDataException($"more bytes were written to '{_current}' than the {_declared} it was declared to hold");
        }

        if (!data.IsEmpty)
        {
            WriteData(data);
        }

        _inCall = false;
    }

    /// <summary>
    /// Ends the layer's entries: adds what waited, and what every base layer gets. Only the hives of a layer with parents are left,
    /// and the commit: <see cref="Close(CancellationToken)"/>, when the parents are complete.
    /// </summary>
    /// <returns>The hives whose deltas now lie in the layer's folder, to be merged with those of its parents.</returns>
    /// <exception cref="LayerImportException">What waited cannot be added.</exception>
    /// <exception cref="InvalidDataException">The file before lacks bytes.</exception>
    /// <exception cref="InvalidOperationException">The layer is closed.</exception>
    internal IReadOnlyList<RegistryHive> Finish(CancellationToken cancellationToken)
    {
        BeginCall();
        var baseLayer = _options.IsBase ? new BaseLayer(_cim, _tree, _pending, _staging) : null;
        baseLayer?.Prepare();
        _pending.ApplyAll(cancellationToken);
        baseLayer?.Add();
        _deltaHives = KeepHives();
        PrepareMergedHives();
        _inCall = false;
        return _deltaHives;
    }

    /// <summary>Ends the layer: adds what waited, merges its hives with its parents', and gives the CIM its name (hcsshim: <c>Close</c>).</summary>
    /// <param name="cancellationToken">Stops between the steps.</param>
    /// <exception cref="LayerImportException">What waited cannot be added, or a hive cannot be merged.</exception>
    /// <exception cref="InvalidDataException">The file before lacks bytes, or the CIM cannot be made whole.</exception>
    /// <exception cref="InvalidOperationException">The layer was closed before.</exception>
    public void Close(CancellationToken cancellationToken = default)
    {
        var (staged, parentFolders, hives) = _own!.Value;
        Close(deltas => staged.Commit(_writer, deltas, parentFolders, hives, cancellationToken), cancellationToken);
    }

    /// <summary>As <see cref="Close(CancellationToken)"/>, for a layer whose folder is the caller's.</summary>
    /// <param name="hives">What merges hives.</param>
    /// <param name="parentFolders">The parents' layer folders, nearest first; none for a base layer.</param>
    /// <param name="cancellationToken">Stops between the steps.</param>
    internal CommittedCim Close(IHiveMerger hives, IReadOnlyList<string> parentFolders, CancellationToken cancellationToken) =>
        Close(deltas => LayerFinish.Run(_writer, deltas, _options.LayerFolder, parentFolders, hives, cancellationToken), cancellationToken);

    private CommittedCim Close(Func<IReadOnlyList<RegistryHive>, CommittedCim> commit, CancellationToken cancellationToken)
    {
        var deltas = !_closed && !_inCall && _deltaHives is { } finished ? finished : Finish(cancellationToken);
        _inCall = true;
        var cim = commit(deltas);
        (_inCall, _closed) = (false, true);
        return cim;
    }

    /// <summary>Throws away what was not closed.</summary>
    public void Dispose()
    {
        _stagedFile?.Dispose();
        _staging.Dispose();
        if (_own is { } own)
        {
            _writer.Dispose();
            own.Staged.Dispose();
        }
    }

    /// <summary>Begins every call but writes; a call that ends without taking the mark back has failed.</summary>
    private void BeginCall()
    {
        ThrowIfUnusable();
        _inCall = true;
        if (_left > 0)
        {
            throw new InvalidDataException($"{_declared - _left} bytes were written to '{_current}', which was declared to hold {_declared}");
        }

        _current = null;
    }

    private void ThrowIfUnusable()
    {
        if (_inCall)
        {
            throw new InvalidOperationException("an earlier call failed: the layer is of no use, throw its image away");
        }

        if (_closed || _deltaHives is not null)
        {
            throw new InvalidOperationException("the layer is closed");
        }
    }

    private void BeginData(string name, long size)
    {
        (_current, _declared, _left) = (name, size, size);
        if (size == 0)
        {
            EndData();
        }
    }

    private void WriteData(ReadOnlySpan<byte> data)
    {
        if (_stagedFile is { } file)
        {
            file.Write(data);
        }
        else
        {
            _cim.Write(data);
        }

        _left -= data.Length;
        if (_left == 0)
        {
            EndData();
        }
    }

    private void EndData()
    {
        if (_stagedFile is { } file)
        {
            _stagedFile = null;
            file.Dispose();
        }
        else
        {
            _cim.CloseStream();
        }
    }

    private void Claim(CimPath path, bool isDirectory, bool isLinkable, bool isInCim, int pending) =>
        _pending.Drop(_tree.Claim(path, isDirectory, isLinkable, isInCim, pending));

    private void WarnOfUtilityVm(CimPath path)
    {
        if (_options.IsBase || _warnedOfUtilityVm
            || !(path.Value.Equals(UtilityVmName, StringComparison.OrdinalIgnoreCase)
                || path.Value.StartsWith(UtilityVmName + CimPath.Separator, StringComparison.OrdinalIgnoreCase)))
        {
            return;
        }

        _warnedOfUtilityVm = true;
        _options.Logger?.LogWarning(
            "The layer has files of the utility VM but is no base layer: they are kept, and Windows may not use them when it starts one");
    }

    /// <summary>The merged hives come when the parents are in: room is made for them while the layer's names are known.</summary>
    private void PrepareMergedHives()
    {
        foreach (var hive in _deltaHives!)
        {
            try
            {
                Claim(hive.BasePath, isDirectory: false, isLinkable: true, isInCim: true, LayerTree.NothingPending);
                _cim.Prepare(hive.BasePath, isDirectory: false);
            }
            catch (InvalidDataException e)
            {
                throw new LayerImportException($"a layer whose tar leaves no place for '{hive.BasePath}': {e.Message}", e);
            }
        }
    }

    private List<RegistryHive> KeepHives()
    {
        var deltas = RegistryHive.All.Where(hive => _pending.TryGetStandardFile(hive.DeltaPath, out _)).ToList();
        var bases = _options.IsBase ? RegistryHive.All.Select(hive => hive.BasePath) : [];
        _staging.Keep([.. deltas.Select(hive => hive.DeltaPath), .. bases]);
        return deltas;
    }

    private static void ThrowIfRoot(CimPath path)
    {
        if (path.IsRoot)
        {
            throw new InvalidDataException("it is, or links to, the root of the image");
        }
    }
}
