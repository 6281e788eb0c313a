using System.Buffers.Binary;
using System.Globalization;

namespace CimConvert.Formats.Regf;

/// <summary>
/// Writes keys as <c>.reg</c> text, byte for byte like <c>hivexregedit --export</c>: a blank line ends each section, values and
/// subkeys are sorted by the code points of their names, and all data except dwords is hex on one line.
/// </summary>
/// <remarks>
/// Names are encoded as hivexregedit does it: in Latin-1 if that has all their characters, else in UTF-8. A key's path counts as one
/// name. Nearly all names are ASCII, and so is then the file.
/// </remarks>
internal static class RegExport
{
    private const uint Dword = 4;

    /// <param name="key">The key to write, with its subtree.</param>
    /// <param name="path">Its path in the hive's spelling; <c>\</c> for the root.</param>
    /// <param name="output">Receives the text.</param>
    public static void Write(HiveKey key, string path, Stream output)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(output);
        using var text = new RegText(output);
        text.Ascii("Windows Registry Editor Version 5.00\n\n");

        // A path is built when its key is written; pending siblings share their parent's path.
        var pending = new Stack<(HiveKey Key, string? Parent)>();
        pending.Push((key, null));
        while (pending.TryPop(out var next))
        {
            var keyPath = next.Parent is null ? path : Join(next.Parent, next.Key.Name);
            WriteSection(next.Key, keyPath, text);
            var subkeys = next.Key.Subkeys.ToArray();
            Array.Sort(subkeys, static (left, right) => CodePoints.Compare(right.Name, left.Name));
            foreach (var subkey in subkeys)
            {
                pending.Push((subkey, keyPath));
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

        // OrderBy, because it is stable: a malformed key may have two values of one name.
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
