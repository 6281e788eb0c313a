using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CimConvert.TestKit.Oracles.Cim;

internal enum CimStreamType
{
    Data = 0,
    LinkTable = 1,
    PeImage = 2,
}

/// <summary>The 16 bytes that say where a stream's bytes are.</summary>
internal readonly record struct CimStream(CimOffset Offset, long Length, CimStreamType Type, bool IsSparse)
{
    public const int EncodedLength = 16;

    public static CimStream Decode(ReadOnlySpan<byte> bytes, string owner)
    {
        ulong packed = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        int type = (int)((packed >> 48) & 0xff);
        if (type > (int)CimStreamType.PeImage || packed >> 57 != 0)
        {
            throw new CimWalkException($"the stream of {owner} has type and flags 0x{packed >> 48:x}");
        }

        return new CimStream(
            new CimOffset(BinaryPrimitives.ReadUInt64LittleEndian(bytes)),
            (long)(packed & 0xffff_ffff_ffff),
            (CimStreamType)type,
            ((packed >> 56) & 1) != 0);
    }
}

/// <summary>Reads streams to their end, whatever way they are stored.</summary>
internal sealed class CimStreams(CimRegions regions)
{
    private const int PageLength = 4096;
    private const int SmallAlignment = 8;
    private const long LongestSparse = 1L << 36;
    private const int PeHeaderLength = 24;
    private const int PeMappingLength = 8;

    public WalkedStream Read(string name, CimStream stream, string owner)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (stream.IsSparse)
        {
            // No region bounds it: 16 bytes could keep the hash busy for days.
            if (stream.Length > LongestSparse)
            {
                throw new CimWalkException($"{owner} is sparse and {stream.Length} bytes long");
            }

            CimNumbers.ForEachPiece(stream.Length, (_, piece) =>
            {
                piece.Clear();
                hash.AppendData(piece);
            });
        }
        else if (stream.Type == CimStreamType.PeImage)
        {
            ReadPeImage(stream, owner, hash);
        }
        else
        {
            CheckPlace(stream.Offset, stream.Length, owner);
            Append(stream.Offset, stream.Length, hash);
        }

        string sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
        return new WalkedStream(name, stream.Length, stream.Type == CimStreamType.PeImage, stream.IsSparse, sha256);
    }

    // An empty stream too needs a place: the reader of 2021 refuses a null offset.
    private void CheckPlace(CimOffset offset, long length, string owner)
    {
        regions.Check(offset, length, "data of " + owner);
        int alignment = length >= PageLength ? PageLength : SmallAlignment;
        if (length > 0 && offset.Byte % alignment != 0)
        {
            throw new CimWalkException($"the data of {owner}, {length} bytes at {offset}, is not {alignment}-aligned");
        }
    }

    private void Append(CimOffset offset, long length, IncrementalHash hash) => CimNumbers.ForEachPiece(length, (at, piece) =>
    {
        regions.ReadExactly(offset.Plus(at), piece);
        hash.AppendData(piece);
    });

    private void ReadPeImage(CimStream stream, string owner, IncrementalHash hash)
    {
        string what = "PE image of " + owner;
        byte[] header = regions.Read(stream.Offset, PeHeaderLength, what);
        CimOffset data = new(BinaryPrimitives.ReadUInt64LittleEndian(header));
        long dataLength = CimNumbers.Length(BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(8)), what);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(20));
        byte[] mappings = regions.Read(stream.Offset.Plus(PeHeaderLength), count * PeMappingLength, what);
        CheckPlace(data, dataLength, owner);
        long start = 0;
        long delta = 0;
        for (int i = 0; i <= count; i++)
        {
            // Each mapping holds up to where the next begins.
            long end = i < count ? BinaryPrimitives.ReadUInt32LittleEndian(mappings.AsSpan(i * PeMappingLength)) : stream.Length;
            if (end < start || end > stream.Length || end + delta > dataLength)
            {
                throw new CimWalkException($"the {what} maps {start} to {end} by {delta}, outside its {dataLength} bytes");
            }

            Append(data.Plus(start + delta), end - start, hash);
            start = end;
            delta = i < count ? BinaryPrimitives.ReadUInt32LittleEndian(mappings.AsSpan((i * PeMappingLength) + 4)) : 0;
        }
    }
}
