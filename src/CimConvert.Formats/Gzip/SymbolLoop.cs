using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Decodes a block's symbols, which takes nearly all the time. Uses pointers, unlike the rest of this namespace: the bounds of spans
/// would need more registers than there are.
/// </summary>
/// <remarks>
/// <para>
/// Bounds are checked once a turn. A turn starts only while input and window are within their limits; it refills twice, each time
/// reading 8 bytes and advancing by at most 7; it writes at most <see cref="MostWrittenInATurn"/> symbols. Both buffers have room for
/// that behind their limits. Every match is checked against the start of the history. An index into the tables is masked to the
/// table's size, or comes from an entry that <see cref="DecodeTable"/> wrote.
/// </para>
/// <para>
/// The ideas are from libdeflate (https://github.com/ebiggers/libdeflate) and ISA-L (https://github.com/intel/isa-l): a word of bits
/// refilled without a branch, entries usable as shift counts, several symbols an entry. Mispredicted branches cost most, so an entry
/// holds as much as fits, for fewer of them.
/// </para>
/// </remarks>
internal static unsafe class SymbolLoop
{
    /// <summary>Two literals for each of four entries, the longest match, and what a wide copy writes beyond it.</summary>
    public const int MostWrittenInATurn = (4 * 2) + 258 + WideCopy;

    /// <summary>The advance of the first refill, and what the second one reads.</summary>
    public const int MostReadInATurn = 7 + sizeof(ulong);

    private const int WideCopy = 32;

    /// <summary>Runs until the block ends, input or room runs out, or the data is invalid.</summary>
    // The loop is hot from its first call: it is compiled with full optimization at once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static SymbolLoopEnd Run<TSymbol>(BitInput input, OutputWindow window, DecodeTables tables)
        where TSymbol : unmanaged
    {
        fixed (byte* inputBuffer = input.Buffer, outputBuffer = window.Buffer)
        fixed (uint* entries = tables.Entries)
        {
            var next = inputBuffer + input.Position;
            var nextLimit = inputBuffer + input.PositionLimit;
            var target = outputBuffer + window.Position;
            var targetLimit = outputBuffer + (window.Buffer.Length - (MostWrittenInATurn * sizeof(TSymbol)));
            var history = outputBuffer + window.HistoryStart;
            var bits = input.Bits;
            var count = (uint)input.BitCount;
            SymbolLoopEnd end;
            while (true)
            {
                if (next > nextLimit)
                {
                    end = SymbolLoopEnd.InputLow;
                    break;
                }

                if (target > targetLimit)
                {
                    end = SymbolLoopEnd.WindowFull;
                    break;
                }

                // Four entries of literals take up to 48 of 56 bits; three and the longest length code take 36 + 20.
                Refill(ref next, ref bits, ref count);
                var held = bits;
                var entry = Decode<TSymbol>(entries, ref target, ref bits, ref count);
                if ((int)entry < 0)
                {
                    held = bits;
                    entry = Decode<TSymbol>(entries, ref target, ref bits, ref count);
                    if ((int)entry < 0)
                    {
                        held = bits;
                        entry = Decode<TSymbol>(entries, ref target, ref bits, ref count);
                        if ((int)entry < 0)
                        {
                            held = bits;
                            entry = Decode<TSymbol>(entries, ref target, ref bits, ref count);
                            if ((int)entry < 0)
                            {
                                continue;
                            }
                        }
                    }
                }

                if ((entry & DecodeEntry.NotInTable) != 0)
                {
                    if ((entry & DecodeEntry.Subtable) != 0)
                    {
                        entry = entries[Within(entry, bits >> DecodeTables.LiteralBits)];
                        Consume(entry, ref bits, ref count);
                        if ((int)entry < 0)
                        {
                            *(TSymbol*)target = default;
                            *target = (byte)(entry >> DecodeEntry.LiteralsShift);
                            target += sizeof(TSymbol);
                            continue;
                        }
                    }

                    if ((entry & DecodeEntry.Special) != 0)
                    {
                        end = entry >= DecodeEntry.EndOfBlock ? SymbolLoopEnd.EndOfBlock : SymbolLoopEnd.BadLiteral;
                        break;
                    }
                }

                var length = (byte)(entry >> DecodeEntry.LengthShift) + DecodeEntry.ShortestLength + Extra(entry, held);

                Refill(ref next, ref bits, ref count);
                entry = entries[DecodeTables.DistancesStart + (bits & DecodeTables.DistanceMask)];
                if ((entry & DecodeEntry.NotInTable) != 0)
                {
                    if ((entry & DecodeEntry.Subtable) != 0)
                    {
                        entry = entries[DecodeTables.DistancesStart + Within(entry, bits >> DecodeTables.DistanceBits)];
                    }

                    if ((entry & DecodeEntry.Special) != 0)
                    {
                        end = SymbolLoopEnd.BadDistance;
                        break;
                    }
                }

                var distance = (nint)((entry >> DecodeEntry.ValueShift) + Extra(entry, bits)) * sizeof(TSymbol);
                Consume(entry, ref bits, ref count);
                if (distance > target - history)
                {
                    end = SymbolLoopEnd.DistanceTooFar;
                    break;
                }

                var source = target - distance;
                var stop = target + (length * (uint)sizeof(TSymbol));
                if (distance >= Vector128<byte>.Count)
                {
                    do
                    {
                        Vector128.Load(source).Store(target);
                        Vector128.Load(source + Vector128<byte>.Count).Store(target + Vector128<byte>.Count);
                        target += WideCopy;
                        source += WideCopy;
                    }
                    while (target < stop);
                }
                else
                {
                    // A pattern shorter than a vector is repeated to fill one, which is then written repeatedly.
                    ref var repeats = ref MemoryMarshal.GetReference(Repeats);
                    var repeated = Vector128.ShuffleNative(Vector128.Load(source), Vector128.LoadUnsafe(ref repeats, (nuint)distance * 16));
                    var step = Unsafe.Add(ref repeats, distance);
                    do
                    {
                        repeated.Store(target);
                        target += step;
                    }
                    while (target < stop);
                }

                target = stop;
            }

            input.Position = (int)(next - inputBuffer);
            input.Bits = bits;
            input.BitCount = (int)(count & 63);
            window.Position = (int)(target - outputBuffer);
            return end;
        }
    }

    /// <returns>What is wrong where the loop stopped; null if nothing is.</returns>
    public static string? Explain(SymbolLoopEnd end) => end switch
    {
        SymbolLoopEnd.BadLiteral => "a code that stands for no literal or length",
        SymbolLoopEnd.BadDistance => "a code that stands for no distance",
        SymbolLoopEnd.DistanceTooFar => "a distance beyond the start of the data",
        _ => null,
    };

    /// <summary>Only the low six bits of <paramref name="count"/> count: subtracting whole entries leaves garbage above them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Refill(ref byte* next, ref ulong bits, ref uint count)
    {
        var word = *(ulong*)next;
        bits |= (BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word)) << (int)count;
        next += 7 - ((count >> 3) & 7);
        count |= BitInput.RefilledBits;
    }

    /// <summary>Takes the next entry and writes two literals; the position advances by as many as the entry has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Decode<TSymbol>(uint* entries, ref byte* target, ref ulong bits, ref uint count)
        where TSymbol : unmanaged
    {
        var entry = entries[bits & DecodeTables.LiteralMask];
        var literals = (ushort)(entry >> DecodeEntry.LiteralsShift);
        if (sizeof(TSymbol) == sizeof(byte))
        {
            *(ushort*)target = BitConverter.IsLittleEndian ? literals : BinaryPrimitives.ReverseEndianness(literals);
        }
        else
        {
            var wide = (literals | ((uint)literals << 8)) & 0x00ff00ff;
            *(uint*)target = BitConverter.IsLittleEndian ? wide : BitOperations.RotateLeft(wide, 16);
        }

        target += BitOperations.PopCount(entry >> DecodeEntry.CountShift) * sizeof(TSymbol);
        Consume(entry, ref bits, ref count);
        return entry;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Consume(uint entry, ref ulong bits, ref uint count)
    {
        bits >>= (int)entry;
        count -= entry;
    }

    /// <summary>The extra bits of a length or distance: the bits of its entry behind the code.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Extra(uint entry, ulong bits) => (uint)(LowBits(bits, entry) >> (int)(entry >> DecodeEntry.CodeLengthShift));

    /// <summary>Index of the subtable's entry for the bits behind the table's index.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Within(uint subtable, ulong bits) =>
        (subtable >> DecodeEntry.ValueShift) + (uint)LowBits(bits, (subtable >> DecodeEntry.CodeLengthShift) & DecodeEntry.CodeLengthMask);

    /// <summary>As many low bits as the low six bits of <paramref name="count"/> say; the two bits above those six are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LowBits(ulong bits, uint count) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.ZeroHighBits(bits, count) : bits & ((1ul << (int)count) - 1);

    /// <summary>
    /// Row n of 16 bytes repeats the numbers 0 to n-1: the shuffle that fills a vector for a distance of n. Row 0 has, for each
    /// distance, how many bytes of the vector are whole repeats.
    /// </summary>
    private static ReadOnlySpan<byte> Repeats =>
    [
        16, 16, 16, 15, 16, 15, 12, 14, 16, 9, 10, 11, 12, 13, 14, 15,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
        0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0,
        0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0,
        0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0, 1,
        0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 1, 2,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 1,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0,
    ];
}

/// <summary>Why the symbol loop stopped.</summary>
internal enum SymbolLoopEnd
{
    InputLow,
    WindowFull,
    EndOfBlock,
    BadLiteral,
    BadDistance,
    DistanceTooFar,
}
