using System.Globalization;
using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;

namespace CimConvert.Tests.Formats.Regf;

/// <summary>Short forms that all tests of hives share.</summary>
internal static class HiveFiles
{
    public static Hive Read(KeySpec root) => HiveReader.Read(new HiveBuilder(root).Build());

    public static byte[] Write(Hive hive)
    {
        using var output = new MemoryStream();
        HiveWriter.Write(hive, output);
        return output.ToArray();
    }

    public static byte[] Export(Hive hive, string path = @"\")
    {
        using var output = new MemoryStream();
        var key = hive.Find(path, out var canonical) ?? throw new ArgumentException($"no key {path}", nameof(path));
        RegExport.Write(key, canonical, output);
        return output.ToArray();
    }

    /// <summary>Everything the model holds of a tree, a line a fact: trees are equal when these are.</summary>
    public static string Dump(Hive hive)
    {
        var text = new StringBuilder();
        var pending = new Stack<(HiveKey Key, int Depth)>();
        pending.Push((hive.Root, 0));
        while (pending.TryPop(out var next))
        {
            var key = next.Key;
            text.Append(CultureInfo.InvariantCulture, $"{next.Depth} '{key.Name}' {(int)key.Flags:x} {key.LastWritten:x}")
                .Append(CultureInfo.InvariantCulture, $" {key.AccessBits:x} {key.Layer} {key.InheritsClass} {key.ControlFlags:x} {key.DebugFlags:x}")
                .Append(CultureInfo.InvariantCulture, $" class {Hex(key.ClassName)} sd {Hex(key.Security?.Descriptor)}")
                .Append(CultureInfo.InvariantCulture, $" handle {key.PredefinedHandle:x}\n");
            foreach (var value in key.Values)
            {
                text.Append(CultureInfo.InvariantCulture, $"  '{value.Name}' {value.Type:x} {value.IsTombstone} {Hex(value.Data)}\n");
            }

            foreach (var subkey in key.Subkeys.Reverse())
            {
                pending.Push((subkey, next.Depth + 1));
            }
        }

        return text.ToString();
    }

    /// <summary>A hive as Windows makes one that is empty: equal to such a file in all that the reader gives, but for the SID of its group.</summary>
    public static byte[] WindowsEmpty()
    {
        const long made = 0x01DC6555_7341D15E;
        var root = new KeySpec("TempEmpty_DEFAULT")
        {
            Flags = (ushort)HiveKeyFlags.NoDelete,
            LastWritten = made,
            AccessBits = 2,
            Security = Convert.FromHexString(
                "01000480640000007400000000000000140000000200500003000000000018003f000f00010200000000000520000000" +
                "20020000000014003f000f0001010000000000051200000000001c003900020001030000000000050500000000000000" +
                "3a9b9b000102000000000005200000002002000001050000000000051500000001000000020000000300000001020000"),
        };
        return new HiveBuilder(root) { MinorVersion = 3, FileName = @"mage\temp_hives_extract\DEFAULT", LastWritten = made }.Build();
    }

    private static string Hex(ReadOnlyMemory<byte>? bytes) => bytes is { } some ? Convert.ToHexString(some.Span) : "none";
}
