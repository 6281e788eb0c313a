using CimConvert.Interop;

namespace CimConvert.Layers.Hives;

/// <summary>Merges hives with Windows' offreg.dll, as hcsshim does.</summary>
internal sealed class OffRegHiveMerger : IHiveMerger
{
    public string Name => "offreg";

    /// <summary>Whether this machine has offreg.dll.</summary>
    public static bool IsAvailable => NativeLibraries.PathOf(OffReg.Library) is not null;

    public void Merge(IReadOnlyList<string> hives, string merged, CancellationToken cancellationToken)
    {
        NativeLibraries.RequireExports(OffReg.Library, OffReg.Functions);
        var open = new List<HiveHandle>();
        try
        {
            foreach (var hive in hives)
            {
                cancellationToken.ThrowIfCancellationRequested();
                open.Add(Open(hive));
            }

            cancellationToken.ThrowIfCancellationRequested();
            NativeErrors.ThrowIfWin32(
                OffReg.ORMergeHives([.. open.Select(hive => hive.DangerousGetHandle())], (uint)open.Count, out var result),
                nameof(OffReg.ORMergeHives),
                string.Join("' + '", hives));
            using (result)
            {
                Save(result, merged);
            }
        }
        finally
        {
            // Disposed only here: the raw handles above are in use until now, and the garbage collector must not close them.
            open.ForEach(hive => hive.Dispose());
        }
    }

    private static HiveHandle Open(string file)
    {
        var path = NativePath.Of(file);
        var error = OffReg.OROpenHive(path, out var hive);
        return error switch
        {
            0 => hive,
            NativeErrors.BadDatabase or NativeErrors.NotRegistryFile =>
                throw new InvalidDataException($"'{file}': {NativeErrors.Meaning(NativeErrors.FromWin32(error))}"),
            _ => throw new NativeException(nameof(OffReg.OROpenHive), path, NativeErrors.FromWin32(error)),
        };
    }

    private static void Save(HiveHandle hive, string file)
    {
        var path = NativePath.Of(file);
        var version = Environment.OSVersion.Version;
        File.Delete(path);
        NativeErrors.ThrowIfWin32(OffReg.ORSaveHive(hive, path, (uint)version.Major, (uint)version.Minor), nameof(OffReg.ORSaveHive), path);
        using var written = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0);
        written.Flush(flushToDisk: true);
    }
}
