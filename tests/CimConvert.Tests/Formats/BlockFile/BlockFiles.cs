using CimConvert.Formats.Binary;
using CimConvert.Formats.BlockFile;

namespace CimConvert.Tests.Formats.BlockFile;

/// <summary>Bytes in memory behind the reader's interface, so that thousands of damaged files cost no disk.</summary>
internal sealed class MemoryReader(byte[] bytes) : IRandomReader
{
    public long Length => bytes.Length;

    public void ReadAt(long offset, Span<byte> destination)
    {
        this.CheckRange(offset, destination.Length);
        bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
    }

    public void Dispose()
    {
    }
}

/// <summary>Opens containers in memory and goes through all that is in them.</summary>
internal static class BlockFiles
{
    public const int BlockSize = 4096;

    public static BlockFileReader Open(byte[] bytes) => new(new MemoryReader(bytes));

    /// <summary>Opens the container, checks its seal and reads every file of every set.</summary>
    public static void ReadAll(byte[] bytes)
    {
        using var reader = Open(bytes);
        reader.VerifySeal(CancellationToken.None);
        foreach (var set in reader.SetNames)
        {
            foreach (var name in reader.FileNames(set))
            {
                ReadFile(reader, set, name);
            }
        }
    }

    public static byte[] ReadFile(BlockFileReader reader, string set, string name)
    {
        using var file = reader.OpenSet(set).TryOpen(name) ?? throw new InvalidOperationException($"no '{name}' in '{set}'");
        var bytes = new byte[file.Length];
        file.ReadAt(0, bytes);
        return bytes;
    }
}
