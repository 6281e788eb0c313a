using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace CimConvert.Formats.Gzip;

/// <summary>The checksum of gzip (RFC 1952, 8): a CRC of 32 bits, lowest bit first.</summary>
internal static class Crc32
{
    private const uint Polynomial = 0xedb88320;
    private const int Lane = 16;
    private const int Lanes = 4;

    private static readonly uint[] s_tables = MakeTables();

    private static readonly Vector128<ulong> s_byLanes = Factors(Lane * Lanes);
    private static readonly Vector128<ulong> s_byLane = Factors(Lane);

    /// <summary>Whether the processor multiplies without carries.</summary>
    internal static bool CanFold => Pclmulqdq.IsSupported || (ArmAes.IsSupported && BitConverter.IsLittleEndian);

    /// <summary>Goes on from <paramref name="crc"/>, the checksum of what came before; 0 at the start.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data) =>
        CanFold && data.Length >= Lane * Lanes ? Fold(crc, data) : BySlices(crc, data);

    /// <summary>
    /// A lane at a time is multiplied by what moves it past the lanes that follow, and added to one of them; what is left of
    /// the last has the checksum of it all (Intel, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ").
    /// </summary>
    internal static uint Fold(uint crc, ReadOnlySpan<byte> data)
    {
        var lanes = MemoryMarshal.Cast<byte, Vector128<ulong>>(data);
        var rest = data[(lanes.Length * Lane)..];
        var a = lanes[0] ^ Vector128.CreateScalar((ulong)~crc);
        var b = lanes[1];
        var c = lanes[2];
        var d = lanes[3];
        lanes = lanes[Lanes..];
        while (lanes.Length >= Lanes)
        {
            a = Advance(a, s_byLanes) ^ lanes[0];
            b = Advance(b, s_byLanes) ^ lanes[1];
            c = Advance(c, s_byLanes) ^ lanes[2];
            d = Advance(d, s_byLanes) ^ lanes[3];
            lanes = lanes[Lanes..];
        }

        a = Advance(Advance(Advance(a, s_byLane) ^ b, s_byLane) ^ c, s_byLane) ^ d;
        foreach (var lane in lanes)
        {
            a = Advance(a, s_byLane) ^ lane;
        }

        Span<byte> last = stackalloc byte[Lane];
        a.AsByte().CopyTo(last);
        return BySlices(BySlices(uint.MaxValue, last), rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Advance(Vector128<ulong> lane, Vector128<ulong> factors) => Pclmulqdq.IsSupported
        ? Pclmulqdq.CarrylessMultiply(lane, factors, 0x00) ^ Pclmulqdq.CarrylessMultiply(lane, factors, 0x11)
        : ArmAes.PolynomialMultiplyWideningLower(lane.GetLower(), factors.GetLower()) ^ ArmAes.PolynomialMultiplyWideningUpper(lane, factors);

    internal static uint BySlices(uint crc, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<uint> tables = s_tables;
        crc = ~crc;
        while (data.Length >= sizeof(ulong))
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(data) ^ crc;
            crc = 0;
            for (var slice = 7; slice >= 0; slice--, word >>= 8)
            {
                crc ^= tables[(slice * 256) + (byte)word];
            }

            data = data[sizeof(ulong)..];
        }

        foreach (var value in data)
        {
            crc = (crc >> 8) ^ tables[(byte)(crc ^ value)];
        }

        return ~crc;
    }

    /// <summary>Table n: what a byte does to the checksum when n zero bytes follow it.</summary>
    private static uint[] MakeTables()
    {
        var tables = new uint[8 * 256];
        for (var value = 0u; value < 256; value++)
        {
            var crc = value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = TimesX(crc);
            }

            tables[value] = crc;
        }

        for (var i = 256; i < tables.Length; i++)
        {
            var crc = tables[i - 256];
            tables[i] = (crc >> 8) ^ tables[crc & 0xff];
        }

        return tables;
    }

    /// <summary>What the two halves of a lane are multiplied by to move them over <paramref name="bytes"/> bytes.</summary>
    private static Vector128<ulong> Factors(int bytes) => Vector128.Create(PowerOfX((bytes * 8) + 32), PowerOfX((bytes * 8) - 32));

    /// <summary>Bit-reversed, as all here; and by one place more, since the product of two reversed numbers comes out one short.</summary>
    private static ulong PowerOfX(int exponent)
    {
        var power = 0x80000000u;
        for (var i = 0; i < exponent; i++)
        {
            power = TimesX(power);
        }

        return (ulong)power << 1;
    }

    private static uint TimesX(uint value) => (value >> 1) ^ ((value & 1) * Polynomial);
}
