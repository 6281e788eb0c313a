using System.Buffers.Binary;
using System.Security.Cryptography;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.BlockFile;

/// <summary>The worked example of FORMAT.md, laid out here by its text alone: the reader reads it, and the writer writes it.</summary>
internal sealed class FormatExampleTests
{
    private const int BlockSize = BlockFiles.BlockSize;

    [TestCase(false, "67187b7301a82482b49832ac3105a8ce0bc440ebacca9f1985776da8702fe2a5")]
    [TestCase(true, "fcb49366911d5b2f6c1a3c9c773545540f0fa362340192f9641a5d816cb2fb5a")]
    public void The_example_holds(bool seal, string root)
    {
        var bytes = seal ? Sealed() : Plain(blocks: 4);
        using (var reader = BlockFiles.Open(bytes))
        {
            Assert.That(Convert.ToHexStringLower(reader.Root), Is.EqualTo(root));
            Assert.That(BlockFiles.ReadFile(reader, "s", "f"), Is.EqualTo("hello"u8.ToArray()));
            reader.VerifySeal(CancellationToken.None);
        }

        using var lab = new CimLab();
        var written = lab.WriteBlocks("x", blocks =>
        {
            var set = blocks.BeginSet("s");
            var file = set.Create(digested: true);
            file.Append("hello"u8);
            set.Publish(file, "f");
        }, seal);
        ByteAssert.Equal(bytes, File.ReadAllBytes(written));
    }

    private static byte[] Plain(int blocks)
    {
        var bytes = new byte[blocks * BlockSize];
        "cimblock\u0001"u8.CopyTo(bytes);
        "hello"u8.CopyTo(bytes.AsSpan(0x1000));
        foreach (var (at, value) in new[]
        {
            (0x2000, 1), (0x2004, 1), (0x2008, 1), (0x2010, 1), (0x2018, 1), (0x2020, 5), (0x2028, 1), (0x2030, 1), (0x2058, 1), (0x2060, 1),
            (0x2068, 's' | ('f' << 16)),
        })
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);
        }

        Convert.FromHexString("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824").CopyTo(bytes, 0x2038);
        var superblock = bytes.AsSpan((blocks - 1) * BlockSize);
        "cimsuper\u0001"u8.CopyTo(superblock);
        superblock[0x10] = (byte)blocks;
        superblock[0x18] = 2;
        superblock[0x20] = 108;
        Convert.FromHexString("9fafe4a922b68239b0964fb4368b4c42fa9975fb6a70cd36da757c4e491cb629").CopyTo(superblock[0x30..]);
        SHA256.HashData(superblock[..0xfe0], superblock[0xfe0..]);
        return bytes;
    }

    private static byte[] Sealed()
    {
        var bytes = Plain(blocks: 5);
        for (var block = 0; block < 3; block++)
        {
            SHA256.HashData(bytes.AsSpan(block * BlockSize, BlockSize), bytes.AsSpan((3 * BlockSize) + (block * 32)));
        }

        var superblock = bytes.AsSpan(4 * BlockSize);
        superblock[0x28] = 3;
        SHA256.HashData(bytes.AsSpan(3 * BlockSize, BlockSize), superblock[0x50..]);
        SHA256.HashData(superblock[..0xfe0], superblock[0xfe0..]);
        return bytes;
    }
}
