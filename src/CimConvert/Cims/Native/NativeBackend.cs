using CimConvert.Formats.BlockFile;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>Windows' own writer, cimwriter.dll or cimfs.dll: what it writes, Windows mounts.</summary>
internal sealed class NativeBackend : ICimBackend
{
    public string Name => CimBackends.Native;

    public ICimWriter Create(string blockFile, string cimName, BlockCimOptions options) => new NativeCimWriter(blockFile, cimName, options);

    public ICimWriter CreateForked(string cimFile, string? parentCim)
    {
        ForkedCim.CheckDirectory(cimFile, parentCim);
        return new NativeForkedWriter(cimFile, parentCim);
    }

    /// <remarks>A call of Windows' writer cannot be stopped: cancelled, the merge ends after the one it is in, and removes its file.</remarks>
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
                throw new ConversionException($"'{source.BlockFile}' and '{blockFile}' are not of one type: all are block files, or all are devices");
            }
        }

        using var image = new NativeCim(blockFile, cimName, IntegrityFile.MergedName, options);
        var flags = (image.IsDevice ? CimMergeFlags.BlockDevice : CimMergeFlags.SingleFile)
            | (options.Integrity ? CimMergeFlags.Verified : CimMergeFlags.None);
        foreach (var source in sources)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = $@"{NativePath.Of(source.BlockFile)}\{source.NameOrDefault}";
            NativeErrors.ThrowIfFailed(CimFsNative.CimAddFsToMergedImage2(image.Handle, path, flags), nameof(CimFsNative.CimAddFsToMergedImage2), path);
        }

        return image.Commit(cancellationToken);
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

        NativeLibraries.RequireExports(CimFsNative.Library, CimFsNative.ForkFunctions);
    }

    /// <exception cref="ConversionException">This machine cannot; the message says why.</exception>
    internal static void Require(bool integrity)
    {
        if (!CimSupport.CanWriteBlock(integrity, out var reason))
        {
            throw Unusable(reason);
        }

        NativeLibraries.RequireExports(CimFsNative.Library, integrity ? [.. CimFsNative.Functions, .. CimFsNative.SealFunctions] : CimFsNative.Functions);
    }

    private static ConversionException Unusable(string reason) => new($"the native back end cannot be used: {reason}");
}
