namespace CimConvert.Tests;

/// <summary>The clone that the tests run in, for what they say of its pages and samples.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Converter.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests do not run in the repository");
        }

        return folder;
    }
}
