using System.Buffers;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Binary;

namespace CimConvert.Cims.Tools;

/// <summary>
/// Puts a CIM's standard files, byte for byte, into a block file, with those of the parents or sources it needs: what comes out
/// opens by itself, and exported again it is the same standard set.
/// </summary>
internal static class CimPacking
{
    private const int BufferSize = 1024 * 1024;

    /// <param name="cim">What to pack; a standard set, or one that lies in a block file without its sources.</param>
    /// <param name="blockFile">What to make; nothing may have the name yet.</param>
    /// <param name="options">How the block file is made.</param>
    /// <param name="cancellationToken">Leaves nothing behind.</param>
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
