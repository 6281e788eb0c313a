using System.Buffers.Binary;
using System.Globalization;

namespace CimConvert.Formats.Regf;

/// <summary>
/// Writes keys as <c>.reg</c> text, byte for byte what <c>hivexregedit --export</c> writes: a blank line ends each section,
/// values and subkeys come in the order of their names' code points, all data but dwords is hex on one line.
/// </summary>
/// <remarks>
/// Names are written as that tool writes them: in Latin-1 where all their characters have it, else in UTF-8. A key's path
/// counts as one name. Names of nothing but ASCII, which is nearly all, make the file plain ASCII.
/// </remarks>
internal static class RegExport
{
    private const uint Dword = 4;

    /// <param name="key">The key to write, with all below it.</param>
    /// <param name="path">Its path as the hive spells it: <c>\</c> for the root.</param>
    /// <param name="output">Takes the text.</param>
    public static void Write(HiveKey key, string path, Stream output)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(output);
        using var text = new RegText(output);
        text.Ascii("Windows Registry Editor Version 5.00\n\n");

        // Paths are made when their turn comes: waiting siblings share their parent's.
        var pending = new Stack<(HiveKey Key, string? Parent)>();
        pending.Push((key, null));
        while (pending.TryPop(out var next))
        {
            var here = next.Parent is null ? path : Join(next.Parent, next.Key.Name);
            WriteSection(next.Key, here, text);
            var subkeys = next.Key.Subkeys.ToArray();
            Array.Sort(subkeys, static (left, right) => CodePoints.Compare(right.Name, left.Name));
            foreach (var subkey in subkeys)
            {
                pending.Push((subkey, here));
            }
        }
    }

    private static string Join(string parent, string name) =>
        parent.Length == 1 ? parent + name : string.Concat(parent, @"\", name);

    private static void WriteSection(HiveKey key, string path, RegText text)
    {
        text.Ascii("[");
        text.Name(path);
        text.Ascii("]\n");

        // A stable sort: a malformed key may have two values of one name.
        foreach (var value in key.Values.OrderBy(value => value.Name, Comparer<string>.Create(CodePoints.Compare)))
        {
            WriteValue(value, text);
        }

        text.Ascii("\n");
    }

    private static void WriteValue(in HiveValue value, RegText text)
    {
        if (value.Name.Length == 0)
        {
            text.Ascii("@=");
        }
        else
        {
            text.Ascii("\"");
            text.Name(value.Name.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal));
            text.Ascii("\"=");
        }

        var data = value.Data.Span;
        if (value.Type == Dword && data.Length == sizeof(uint))
        {
            var number = BinaryPrimitives.ReadUInt32LittleEndian(data);
            text.Ascii(string.Create(CultureInfo.InvariantCulture, $"dword:{number:x8}\n"));
        }
        else
        {
            text.Ascii(string.Create(CultureInfo.InvariantCulture, $"hex({value.Type:x}):"));
            text.Hex(data);
            text.Ascii("\n");
        }
    }
}
