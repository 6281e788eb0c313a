using System.Reflection;
using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>
/// Loads native libraries. On Windows they are loaded only from the folders given here, by full path, so that no DLL can be planted
/// through the working folder or PATH. CIMs are written by cimwriter.dll from the program's folder or System32, else by cimfs.dll
/// from System32 (docs/cimfs-api.md). On other systems only libzstd is used, and the system's loader finds it; Windows has none.
/// </summary>
internal static class NativeLibraries
{
    /// <summary>libzstd's file name, from its makefile.</summary>
    private static readonly string s_libzstd = OperatingSystem.IsMacOS() ? "libzstd.1.dylib" : "libzstd.so.1";

    private static readonly Lock s_gate = new();
    private static readonly Dictionary<string, Loaded?> s_loaded = new(StringComparer.Ordinal);
    private static bool s_registered;

    /// <summary>Makes this assembly's P/Invokes load their libraries through this class. Every class with P/Invokes calls it.</summary>
    public static void Register()
    {
        lock (s_gate)
        {
            if (!s_registered)
            {
                NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
                s_registered = true;
            }
        }
    }

    /// <summary>The file loaded for a library; null if none of its folders has it.</summary>
    /// <exception cref="ConversionException">The file exists but cannot be loaded.</exception>
    public static string? PathOf(string library) => Load(library)?.Path;

    /// <summary>Checks beforehand that the library exports all functions that will be called.</summary>
    /// <exception cref="ConversionException">The library is missing or lacks functions; the message names them.</exception>
    public static void RequireExports(string library, params IReadOnlyList<string> functions)
    {
        if (Load(library) is not { } loaded)
        {
            throw new ConversionException($"{library} is not on this machine");
        }

        var missing = string.Join(", ", functions.Where(function => !HasExport(loaded, function)));
        if (missing.Length > 0)
        {
            throw new ConversionException($"'{loaded.Path}' does not have {missing}: it is of another version than this program needs");
        }
    }

    /// <summary>Whether the library is on this machine and has all these functions.</summary>
    public static bool HasExports(string library, params IReadOnlyList<string> functions) =>
        Load(library) is { } loaded && functions.All(function => HasExport(loaded, function));

    private static bool HasExport(Loaded library, string function) => NativeLibrary.TryGetExport(library.Handle, function, out _);

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? searchPath) => library switch
    {
        CimFsWriting.Library or CimFsMounting.Library or OffReg.Library or Libzstd.Library => Load(library)?.Handle ?? 0,
        _ => 0,
    };

    private static Loaded? Load(string library)
    {
        lock (s_gate)
        {
            if (!s_loaded.TryGetValue(library, out var loaded))
            {
                loaded = OperatingSystem.IsWindows() ? Candidates(library).Select(TryLoad).FirstOrDefault(found => found is not null)
                    : library == Libzstd.Library ? LoadFromSystem(s_libzstd)
                    : null;
                s_loaded.Add(library, loaded);
            }

            return loaded;
        }
    }

    private static IEnumerable<string> Candidates(string library)
    {
        if (library == Libzstd.Library)
        {
            return [];
        }

        if (library == CimFsWriting.Library)
        {
            // The order of LOAD_LIBRARY_SEARCH_APPLICATION_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32, which hcsshim uses
            // (internal/winapi/cimwriter/cimwriter.go).
            return
            [
                Path.Combine(AppContext.BaseDirectory, library),
                Path.Combine(Environment.SystemDirectory, library),
                Path.Combine(Environment.SystemDirectory, CimFsMounting.Library),
            ];
        }

        return [Path.Combine(Environment.SystemDirectory, library)];
    }

    private static Loaded? LoadFromSystem(string file) =>
        NativeLibrary.TryLoad(file, typeof(NativeLibraries).Assembly, DllImportSearchPath.SafeDirectories, out var handle) ? new Loaded(file, handle) : null;

    private static Loaded? TryLoad(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        return NativeLibrary.TryLoad(path, out var handle)
            ? new Loaded(path, handle)
            : throw new ConversionException($"'{path}' cannot be loaded: it may be for another processor, or a library that it needs may be missing");
    }

    private sealed record Loaded(string Path, nint Handle);
}
