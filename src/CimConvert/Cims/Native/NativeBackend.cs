using CimConvert.Formats.BlockFile;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>Windows' own writer, cimwriter.dll or cimfs.dll. Windows mounts the CIMs that it writes.</summary>
internal sealed class NativeBackend : ICimBackend
{
    public string Name => CimBackends.Native;

    public ICimWriter Create(string blockFile, string cimName, BlockCimOptions options) => new NativeCimWriter(blockFile, cimName, options);

    public ICimWriter CreateForked(string cimFile, string? parentCim, string? workFolder = null)
    {
        StandardCim.RequireOneDirectory(cimFile, parentCim);
        return new NativeForkedWriter(cimFile, parentCim, workFolder);
    }

    /// <remarks>
    /// A call of Windows' writer cannot be cancelled: a cancelled merge ends after the current call, and removes its file.
    /// </remarks>
    public CommittedCim Merge(
        string blockFile, string cimName, IReadOnlyList<BlockCim> sources, BlockCimOptions options, CancellationToken cancellationToken)
    {
        const int fewest = 2;
        if (sources.Count < fewest)
        {
            throw new ConversionException($"a merge takes at least {fewest} CIMs, not {sources.Count}");
        }

        foreach (var source in sources)
        {
            CheckSource(source);
            if (BlockCim.IsDevice(source.BlockFile) != BlockCim.IsDevice(blockFile))
            {
                throw new ConversionException($"'{source.BlockFile}' and '{blockFile}' are not of the same kind: sources and target must all be block files, or all devices");
            }
        }

        using var cim = new NativeCim(blockFile, cimName, IntegrityFile.MergedName, options);
        var flags = (cim.IsDevice ? CimMergeFlags.BlockDevice : CimMergeFlags.SingleFile)
            | (options.Integrity ? CimMergeFlags.Verified : CimMergeFlags.None);
        foreach (var source in sources)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = $@"{NativePath.Of(source.BlockFile)}\{source.NameOrDefault}";
            NativeErrors.ThrowIfFailed(CimFsWriting.CimAddFsToMergedImage2(cim.Handle, path, flags), nameof(CimFsWriting.CimAddFsToMergedImage2), path);
        }

        return cim.Commit(cancellationToken);
    }

    public void CheckSource(BlockCim source)
    {
        if (BlockCim.IsDevice(source.BlockFile))
        {
            return;
        }

        using var file = new FileStream(source.BlockFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var start = new byte[BlockFileMagic.Length];
        if (BlockFileMagic.IsAtStartOf(start.AsSpan(0, file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false))))
        {
            throw new ConversionException($"'{source.BlockFile}' was written by the managed back end, and Windows does not read it: make it anew with --backend native");
        }
    }

    /// <exception cref="ConversionException">This machine cannot write standard CIMs; the message says why.</exception>
    internal static void RequireForking()
    {
        if (!CimSupport.CanWriteForkedCims(out var reason))
        {
            throw Unusable(reason);
        }

        NativeLibraries.RequireExports(CimFsWriting.Library, CimFsWriting.ForkFunctions);
    }

    /// <exception cref="ConversionException">This machine cannot write block CIMs; the message says why.</exception>
    internal static void Require(bool integrity)
    {
        if (!CimSupport.CanWriteBlock(integrity, out var reason))
        {
            throw Unusable(reason);
        }

        NativeLibraries.RequireExports(CimFsWriting.Library, integrity ? [.. CimFsWriting.Functions, .. CimFsWriting.SealFunctions] : CimFsWriting.Functions);
    }

    private static ConversionException Unusable(string reason) => new($"the native back end cannot be used: {reason}");
}
