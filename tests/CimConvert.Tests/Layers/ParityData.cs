using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>Two layers, and the calls recorded from Microsoft's own importer on them (shared reference, cimfs-api.md).</summary>
internal static class ParityData
{
    public static string Tar(string name) => Path.Combine(Folder(), name);

    /// <param name="name"><c>plain</c> or <c>integrity-vhd</c></param>
    public static string Trace(string name) => Path.Combine(Folder(), $"trace-{name}.jsonl");

    private static string Folder()
    {
        for (var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory); folder is not null; folder = folder.Parent)
        {
            var data = Path.Combine(folder.FullName, "shared", "data", "parity");
            if (Directory.Exists(data))
            {
                return data;
            }
        }

        Assert.Ignore("the parity data (../shared/data/parity beside the repository) is not on this machine");
        return string.Empty;
    }
}
