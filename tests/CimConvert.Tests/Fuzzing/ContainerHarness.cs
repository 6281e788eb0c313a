using System.Buffers.Binary;
using System.Security.Cryptography;
using CimConvert.Formats.BlockFile;
using CimConvert.TestKit;
using CimConvert.TestKit.Fuzzing;
using CimConvert.Tests.Formats.BlockFile;

namespace CimConvert.Tests.Fuzzing;

/// <summary>The one-file container: its superblock, directory, hash tree and files, with right checksums most of the time.</summary>
internal sealed class ContainerHarness : FuzzHarness
{
    private const int BlockSize = BlockFiles.BlockSize;
    private const int SuperblockFields = 112;

    private readonly List<byte[]> _whole = [];

    public override string Name => "container";

    public override int MaxLength => 16 << 10;

    public override bool HasOffsets => true;

    public override IReadOnlyList<byte[]> Tokens { get; } = Words("cimblock", "cimsuper", "a.cim", "region_");

    /// <summary>The number of the seed, the directory, the superblock's fields, and all other blocks.</summary>
    public override IReadOnlyList<byte[][]> MakeSeeds()
    {
        using var folder = new TempFolder();
        foreach (var seal in new[] { false, true })
        {
            var path = folder[$"{seal}"];
            using (var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                var blocks = new BlockFileWriter(handle);
                foreach (var set in new[] { "a.cim", "b.cim" })
                {
                    var files = blocks.BeginSet(set);
                    foreach (var (name, size) in new[] { (set, 70), ("region_0", 4097), ("objectid_0", 9000) })
                    {
                        var file = files.Create(digested: true);
                        file.Append(SeededContent.Bytes(size, size));
                        files.Publish(file, name);
                    }
                }

                blocks.Complete(seal, hasTrailer: false, CancellationToken.None);
            }

            _whole.Add(File.ReadAllBytes(path));
        }

        return
        [
            .. _whole.Select((file, i) =>
            {
                var (start, size) = Superblocks.Directory(file);
                return new[] { [(byte)i], file.AsSpan(start, size).ToArray(), Superblocks.Of(file)[..SuperblockFields].ToArray(), [] };
            }),
        ];
    }

    public override bool IsMutable(int part) => part > 0;

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    /// <summary>The last part is what is changed in the blocks before the directory: pairs of a place and a value, four bytes each.</summary>
    public override string Run(byte[][] parts)
    {
        var file = _whole[parts[0][0]].ToArray();
        var (start, size) = Superblocks.Directory(file);
        for (var changes = parts[3].AsSpan(); changes.Length >= 8; changes = changes[8..])
        {
            var at = (int)(BinaryPrimitives.ReadUInt32LittleEndian(changes) % (uint)file.Length);
            file[at] ^= changes[4];
        }

        var superblock = Superblocks.Of(file);
        if (parts[1].Length <= BlockSize)
        {
            file.AsSpan(start, BlockSize).Clear();
            parts[1].CopyTo(file, start);
        }

        parts[2].AsSpan(0, Math.Min(SuperblockFields, parts[2].Length)).CopyTo(superblock);
        if (parts[1].Length != size && parts[1].Length <= BlockSize)
        {
            BinaryPrimitives.WriteInt64LittleEndian(superblock[32..], parts[1].Length);
        }

        if (parts[1].Length <= BlockSize)
        {
            SHA256.HashData(parts[1], superblock[48..80]);
        }

        Superblocks.FixChecksum(file);
        BlockFiles.ReadAll(file);
        return "read";
    }
}
