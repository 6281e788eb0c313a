using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Joins entries: if the bits of an index hold a literal and then another literal or a length, its entry stands for both.
/// </summary>
/// <remarks>
/// Goes from the end to the start: the entry for the bits behind a literal has a lower index, and is needed before it is joined itself.
/// </remarks>
internal static class EntryPairs
{
    private const uint FirstLiteral = 0xffu << DecodeEntry.LiteralsShift;
    private const int ToSecondLiteral = 8;
    private const uint BitsMask = 0x3f;

    public static void Join(Span<uint> table)
    {
        if (Avx2.IsSupported)
        {
            JoinWide(table);
        }
        else
        {
            JoinEach(table);
        }
    }

    internal static void JoinEach(Span<uint> table)
    {
        for (var index = table.Length - 1; index >= 0; index--)
        {
            var first = table[index];
            if ((first & DecodeEntry.Literal) == 0)
            {
                continue;
            }

            var length = first & DecodeEntry.CodeLengthMask;
            var second = table[index >> (int)length];
            if ((second & DecodeEntry.NotInTable) != 0 || 1 << (int)(length + CodeLength(second)) > table.Length)
            {
                continue;
            }

            table[index] = DecodeEntry.OneMore + ((second & DecodeEntry.Literal) != 0
                ? first + (second & BitsMask) + ((second & FirstLiteral) << ToSecondLiteral)
                : second + (length * DecodeEntry.CodeBit) + (first & FirstLiteral));
        }
    }

    /// <summary>The same for eight entries at a time. The lookups of the first eight read their entries before these are written.</summary>
    internal static void JoinWide(Span<uint> table)
    {
        var codeLength = Vector256.Create(DecodeEntry.CodeLengthMask);
        var longest = Vector256.Create(uint.Log2((uint)table.Length));
        var notInTable = Vector256.Create(DecodeEntry.NotInTable);
        var firstLiteral = Vector256.Create(FirstLiteral);
        ref var entries = ref MemoryMarshal.GetReference(table);
        for (var index = table.Length - Vector256<uint>.Count; index >= 0; index -= Vector256<uint>.Count)
        {
            var first = Vector256.LoadUnsafe(ref entries, (nuint)index);
            var length = first & codeLength;
            var rest = Avx2.ShiftRightLogicalVariable(Vector256<uint>.Indices + Vector256.Create((uint)index), length);
            var second = Gather(ref entries, rest);
            var fits = IsLiteral(first)
                & Vector256.Equals(second & notInTable, Vector256<uint>.Zero)
                & Vector256.LessThanOrEqual(length + ((second >>> DecodeEntry.CodeLengthShift) & codeLength), longest);
            var literals = first + (second & Vector256.Create(BitsMask)) + ((second & firstLiteral) << ToSecondLiteral);
            var match = second + length + (length << DecodeEntry.CodeLengthShift) + (first & firstLiteral);
            var joined = Vector256.ConditionalSelect(IsLiteral(second), literals, match) + Vector256.Create(DecodeEntry.OneMore);
            Vector256.ConditionalSelect(fits, joined, first).StoreUnsafe(ref entries, (nuint)index);
        }
    }

    private static uint CodeLength(uint entry) => (entry >> DecodeEntry.CodeLengthShift) & DecodeEntry.CodeLengthMask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> IsLiteral(Vector256<uint> entries) => (entries.AsInt32() >> 31).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<uint> Gather(ref uint entries, Vector256<uint> at)
    {
        fixed (uint* pinned = &entries)
        {
            return Avx2.GatherVector256(pinned, at.AsInt32(), sizeof(uint));
        }
    }
}
