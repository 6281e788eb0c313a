using System.Security.Cryptography;

namespace CimConvert.TestKit.Oracles;

/// <summary>The files an importer holds back, and those it adds to a layer on its own.</summary>
internal static class OracleStandardFiles
{
    private static readonly (string Hive, string ConfigName)[] Hives =
    [
        ("SYSTEM", "SYSTEM"),
        ("SOFTWARE", "SOFTWARE"),
        ("SAM", "SAM"),
        ("SECURITY", "SECURITY"),
        ("DEFAULTUSER", "DEFAULT"),
    ];

    private static readonly HashSet<string> Names = new(
        [
            .. Hives.Select(hive => $@"FILES\WINDOWS\SYSTEM32\CONFIG\{hive.ConfigName}"),
            .. Hives.Select(hive => $@"HIVES\{hive.Hive}_DELTA"),
            @"UTILITYVM\FILES\WINDOWS\SYSTEM32\CONFIG\SYSTEM",
            @"UTILITYVM\FILES\WINDOWS\SYSTEM32\CONFIG\SOFTWARE",
            @"UTILITYVM\FILES\EFI\MICROSOFT\BOOT\BCD",
            @"UTILITYVM\FILES\EFI\MICROSOFT\BOOT\BOOTMGFW.EFI",
        ],
        StringComparer.Ordinal);

    public static bool IsStandard(IEnumerable<string> components) => Names.Contains(string.Join('\\', components.Select(OracleNode.Key)));

    /// <summary>What closing a base layer adds.</summary>
    public static void CloseBase(OracleLayer layer)
    {
        OracleNode?[] configs =
            [.. Hives.Select(hive => layer.Root.Find(["Files", "Windows", "System32", "config", hive.ConfigName]))];
        string missing = string.Join(", ", Hives.Where((_, i) => configs[i]?.File.Kind != OracleKind.File).Select(hive => hive.ConfigName));
        if (missing.Length > 0)
        {
            throw new OracleException("The base layer has no hive " + missing);
        }

        layer.Put(["Hives"], new OracleNode("Hives", OracleFile.ImplicitDirectory()));
        for (int i = 0; i < Hives.Length; i++)
        {
            string name = Hives[i].Hive + "_BASE";
            layer.Put(["Hives", name], new OracleNode(name, configs[i]!.File));
        }

        layer.Put(["layout"], Plain("layout", "vhd-with-hives\n"u8));
    }

    /// <summary>What closing a child layer adds, where the caller knows the merged bytes.</summary>
    public static void CloseChild(OracleLayer layer, Func<string, byte[]?> merged)
    {
        foreach ((string hive, _) in Hives)
        {
            string name = hive + "_BASE";
            if (merged(hive) is byte[] content)
            {
                layer.Put(["Hives", name], Plain(name, content));
            }
        }
    }

    private static OracleNode Plain(string name, ReadOnlySpan<byte> content) => new(name, new OracleFile
    {
        Kind = OracleKind.File,
        Attributes = OracleAttributes.Normal,
        Size = content.Length,
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)),
    });
}
