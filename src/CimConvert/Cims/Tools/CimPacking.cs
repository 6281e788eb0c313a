using System.Buffers;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Binary;

namespace CimConvert.Cims.Tools;

/// <summary>
/// Packs a CIM's standard files, byte for byte, into a block file, with those of its parents or sources. The result can be opened by
/// itself, and exporting it gives the same standard set again.
/// </summary>
internal static class CimPacking
{
    private const int BufferSize = 1024 * 1024;

    /// <param name="cim">The CIM to pack: a standard set, or a CIM from a block file, opened with its sources.</param>
    /// <param name="blockFile">The block file to write, which must not exist.</param>
    /// <param name="options">How the block file is written.</param>
    /// <param name="cancellationToken">Cancels, and leaves nothing behind.</param>
    /// <exception cref="InvalidDataException">A file of the CIM is missing.</exception>
    public static CommittedCim PackInto(this OpenCim cim, string blockFile, BlockCimOptions options, CancellationToken cancellationToken)
    {
        using var block = new PartialBlockFile(blockFile, cim.Cim.ParentRegions.Count > 0 ? IntegrityFile.MergedName : IntegrityFile.LayerName);
        var set = block.Blocks.BeginSet(cim.Name);
        foreach (var (name, file) in cim.AllFiles())
        {
            using (file)
            {
                Copy(file, set, name, cancellationToken);
            }
        }

        return block.Finish(options, cancellationToken);
    }

    private static void Copy(IRandomReader file, IFileSetWriter set, string name, CancellationToken cancellationToken)
    {
        var to = set.Create(digested: true);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (long at = 0; at < file.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var chunk = buffer.AsSpan(0, (int)Math.Min(BufferSize, file.Length - at));
                file.ReadAt(at, chunk);
                to.Append(chunk);
                at += chunk.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        set.Publish(to, name);
    }
}
