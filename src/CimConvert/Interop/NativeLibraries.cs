using System.Reflection;
using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>
/// Where libraries are loaded from. On Windows only from the folders named here, by full path, so that nobody's working
/// folder or PATH can slip in another: cimwriter.dll stands beside the program or in System32, and is preferred;
/// else cimfs.dll, from System32 alone, writes (shared reference, cimfs-api.md). libzstd, which Windows does not have, stands
/// beside the program. Elsewhere the system's loader knows where libzstd is, and there are no others.
/// </summary>
internal static class NativeLibraries
{
    /// <summary>The names libzstd has, by system, as its own makefiles give them.</summary>
    private static readonly string[] s_zstd =
        OperatingSystem.IsWindows() ? ["libzstd.dll", "zstd.dll"] : OperatingSystem.IsMacOS() ? ["libzstd.1.dylib"] : ["libzstd.so.1"];

    private static readonly Lock s_gate = new();
    private static readonly Dictionary<string, Loaded?> s_loaded = new(StringComparer.Ordinal);
    private static bool s_registered;

    /// <summary>Makes the P/Invokes of this assembly find their libraries here; called by each class that has some.</summary>
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

    /// <summary>The file that is loaded for a library; null where no folder of its has it.</summary>
    /// <exception cref="ConversionException">It is there and cannot be loaded.</exception>
    public static string? PathOf(string library) => Load(library)?.Path;

    /// <summary>Looks at once for all functions that will be called, so that none is found missing halfway.</summary>
    /// <exception cref="ConversionException">The library lacks some; the message names it and them.</exception>
    public static void RequireExports(string library, params IReadOnlyList<string> functions)
    {
        if (Load(library) is not { } loaded)
        {
            throw new ConversionException($"{library} is not on this machine");
        }

        var missing = string.Join(", ", functions.Where(function => !NativeLibrary.TryGetExport(loaded.Handle, function, out _)));
        if (missing.Length > 0)
        {
            throw new ConversionException($"'{loaded.Path}' does not have {missing}: it is of another version than this program needs");
        }
    }

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? searchPath) => library switch
    {
        CimFsNative.Library or CimFs.Library or OffReg.Library or Zstd.Library => Load(library)?.Handle ?? 0,
        _ => 0,
    };

    private static Loaded? Load(string library)
    {
        lock (s_gate)
        {
            if (!s_loaded.TryGetValue(library, out var loaded))
            {
                loaded = OperatingSystem.IsWindows() ? Candidates(library).Select(TryLoad).FirstOrDefault(found => found is not null)
                    : library == Zstd.Library ? LoadFromSystem(s_zstd[0])
                    : null;
                s_loaded.Add(library, loaded);
            }

            return loaded;
        }
    }

    private static IEnumerable<string> Candidates(string library)
    {
        if (library == Zstd.Library)
        {
            return s_zstd.Select(file => Path.Combine(AppContext.BaseDirectory, file));
        }

        if (library == CimFsNative.Library)
        {
            // The order of LOAD_LIBRARY_SEARCH_APPLICATION_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32, by which the reference loads it.
            return
            [
                Path.Combine(AppContext.BaseDirectory, library),
                Path.Combine(Environment.SystemDirectory, library),
                Path.Combine(Environment.SystemDirectory, CimFs.Library),
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
            : throw new ConversionException($"'{path}' cannot be loaded: is it for another processor, or does a library that it needs lack?");
    }

    private sealed record Loaded(string Path, nint Handle);
}
