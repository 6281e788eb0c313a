using System.Globalization;
using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;
using NUnit.Framework;

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

    /// <summary>The real hive, written by Windows, that all sessions share.</summary>
    public static byte[] WindowsMinimal()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", "data", "windows-minimal.hive");
            if (File.Exists(file))
            {
                return File.ReadAllBytes(file);
            }
        }

        Assert.Ignore("no shared/data/windows-minimal.hive above the tests");
        return [];
    }

    private static string Hex(ReadOnlyMemory<byte>? bytes) => bytes is { } some ? Convert.ToHexString(some.Span) : "none";
}
