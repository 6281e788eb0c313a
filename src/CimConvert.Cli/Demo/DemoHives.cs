using System.Text;
using CimConvert.Formats.Regf;

namespace CimConvert.Cli.Demo;

/// <summary>Small registry hives: those of the demo's base layer, and what its application changes in SOFTWARE.</summary>
internal static class DemoHives
{
    private const uint Text = 1;
    private const uint Number = 4;

    /// <summary>2024-01-01, as the files of the demo.</summary>
    private static readonly long s_time = new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc).ToFileTimeUtc();

    /// <summary>Everyone may do everything: present and without a list.</summary>
    private static readonly HiveSecurity s_security = new(new byte[] { 1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 });

    public static byte[] Base(string name) => Write(name, name == "SOFTWARE"
        ? [
            Key("Microsoft", [], Key("Windows NT", [], Key("CurrentVersion", [
                TextValue("ProductName", "Windows Server (demo)"), NumberValue("UBR", 2700)]))),
            Key("Vendor", [], Key("Setup", [TextValue("State", "pending"), NumberValue("Reboots", 1)]), Key("Trial", [NumberValue("Days", 30)])),
        ]
        : [Key(name, [TextValue(string.Empty, $"the demo's hive {name}")])]);

    /// <summary>Adds a key, changes and removes values, and removes a key.</summary>
    public static byte[] SoftwareDelta() => Write("SOFTWARE",
    [
        Key("Demo", [TextValue("Version", "1.0")], Key("App", [TextValue(string.Empty, @"C:\app\app.exe")])),
        Key("Vendor", [], Key("Setup", [TextValue("State", "done"), HiveValue.Tombstone("Reboots")]), Removed("Trial")),
    ]);

    private static byte[] Write(string name, HiveKey[] keys)
    {
        using var output = new MemoryStream();
        HiveWriter.Write(new Hive(Key("ROOT", [], keys)) { LastWritten = s_time, FileName = $@"\config\{name}" }, output);
        return output.ToArray();
    }

    private static HiveKey Key(string name, HiveValue[] values, params HiveKey[] subkeys) => new(name)
    {
        LastWritten = s_time,
        Security = s_security,
        Values = [.. values],
        Subkeys = [.. subkeys],
    };

    private static HiveKey Removed(string name) => new(name) { LastWritten = s_time, Layer = LayerSemantics.Tombstone };

    private static HiveValue TextValue(string name, string text) => new(name, Text, Encoding.Unicode.GetBytes(text + '\0'));

    private static HiveValue NumberValue(string name, int number) => new(name, Number, BitConverter.GetBytes(number));
}
