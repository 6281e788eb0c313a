using CimConvert.TestKit.Images;

namespace CimConvert.Tests.Cli;

/// <summary>A store's files as a script sees them.</summary>
internal static class StoreFiles
{
    /// <summary>Path below the store and digest of every file, sorted.</summary>
    public static IReadOnlyList<string> Snapshot(string store) =>
    [
        .. Relative(store).Select(path => $"{path} {Digests.OfFile(Path.Combine(store, path))}"),
    ];

    public static IReadOnlyList<string> Relative(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>Names directly below one of the store's folders.</summary>
    public static IReadOnlyList<string> Names(string store, params string[] below)
    {
        var folder = Path.Combine([store, .. below]);
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)]
            : [];
    }

    public static string Hex(string digest) => digest["sha256:".Length..];
}
