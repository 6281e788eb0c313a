using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>A table of names, each with a value: a directory's file ids, or a file's alternate streams.</summary>
internal static class CimLinkTable
{
    private const int HeadLength = 8;
    private const int LongestName = 255;

    /// <summary>Reads a table and refuses one out of order, with a name twice, or pointing out of itself.</summary>
    public static IReadOnlyList<(string Name, byte[] Value)> Read(
        CimRegions regions,
        CimOffset offset,
        int valueLength,
        ReadOnlySpan<ushort> upcase,
        string owner,
        out int totalLength)
    {
        string what = "link table of " + owner;
        byte[] head = regions.Read(offset, HeadLength, what);
        uint total = BinaryPrimitives.ReadUInt32LittleEndian(head);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4));
        if (total > int.MaxValue || HeadLength + ((ulong)count * (uint)(valueLength + 4)) > total)
        {
            throw new CimWalkException($"the {what} has {total} bytes and {count} links");
        }

        totalLength = (int)total;
        byte[] table = regions.Read(offset, totalLength, what);
        int values = HeadLength;
        int names = values + ((int)count * valueLength);
        int firstName = names + ((int)count * 4);
        List<(string, byte[])> links = [];
        string? previous = null;
        for (int i = 0; i < count; i++)
        {
            uint at = BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(names + (i * 4)));
            string name = ReadName(table, at, firstName, what);
            if (previous is not null && Compare(previous, name, upcase) >= 0)
            {
                throw new CimWalkException($"the {what} has '{name}' after '{previous}'");
            }

            previous = name;
            links.Add((name, table.AsSpan(values + (i * valueLength), valueLength).ToArray()));
        }

        return links;
    }

    private static string ReadName(byte[] table, uint at, int firstName, string what)
    {
        if (at < firstName || at + 2L > table.Length)
        {
            throw new CimWalkException($"the {what} has a name at {at}");
        }

        int units = BinaryPrimitives.ReadUInt16LittleEndian(table.AsSpan((int)at));
        if (units is 0 or > LongestName || at + 2L + (units * 2L) > table.Length)
        {
            throw new CimWalkException($"the {what} has a name of {units} units at {at}");
        }

        // Unit by unit: a name may hold a lone surrogate, which a decoder would replace.
        ReadOnlySpan<byte> bytes = table.AsSpan((int)at + 2, units * 2);
        string name = string.Create(units, bytes, static (target, source) =>
        {
            for (int i = 0; i < target.Length; i++)
            {
                target[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * i)..]);
            }
        });
        return name.AsSpan().ContainsAny("\\/\0")
            ? throw new CimWalkException($"the {what} has the name '{name}'")
            : name;
    }

    private static int Compare(string left, string right, ReadOnlySpan<ushort> upcase)
    {
        ReadOnlySpan<ushort> a = MemoryMarshal.Cast<char, ushort>(left);
        ReadOnlySpan<ushort> b = MemoryMarshal.Cast<char, ushort>(right);
        for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            int order = upcase[a[i]] - upcase[b[i]];
            if (order != 0)
            {
                return order;
            }
        }

        return a.Length - b.Length;
    }
}
