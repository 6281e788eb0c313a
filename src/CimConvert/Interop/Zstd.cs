using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>The system's libzstd, for decompression (zstd.h, "Streaming decompression"). Sizes are <c>size_t</c>.</summary>
internal static unsafe partial class Zstd
{
    public const string Library = "zstd";

    static Zstd() => NativeLibraries.Register();

    private static IReadOnlyList<string> Functions { get; } =
        [nameof(ZSTD_createDStream), nameof(ZSTD_freeDStream), nameof(ZSTD_decompressStream), nameof(ZSTD_isError), nameof(ZSTD_getErrorName)];

    /// <summary>A decoder. The window it keeps is at most 128 MiB (ZSTD_WINDOWLOG_LIMIT_DEFAULT), whatever a frame asks for.</summary>
    /// <exception cref="ConversionException">The machine has no libzstd.</exception>
    public static ZstdHandle CreateDecoder()
    {
        if (NativeLibraries.PathOf(Library) is null)
        {
            throw new ConversionException(OperatingSystem.IsWindows()
                ? "layers compressed with zstd need libzstd.dll, which is not there: put it beside the program"
                : "layers compressed with zstd need libzstd, which is not on this machine: install its package (libzstd1, libzstd or zstd)");
        }

        NativeLibraries.RequireExports(Library, Functions);
        var decoder = ZSTD_createDStream();
        return decoder.IsInvalid ? throw new InvalidOperationException("libzstd has no memory for a decoder") : decoder;
    }

    /// <summary>Decompresses as much as fits, going on to the next frame by itself.</summary>
    /// <param name="decoder">Keeps its place between calls.</param>
    /// <param name="input">What comes next; the bytes used are counted in <paramref name="used"/>.</param>
    /// <param name="output">Where it goes; the bytes made are counted in <paramref name="made"/>.</param>
    /// <param name="used">Bytes of the input.</param>
    /// <param name="made">Bytes of the output.</param>
    /// <returns>Whether a frame has just ended and all of it was given out.</returns>
    /// <exception cref="InvalidDataException">The data is damaged, or no zstd.</exception>
    public static bool Decompress(ZstdHandle decoder, ReadOnlySpan<byte> input, Span<byte> output, out int used, out int made)
    {
        fixed (byte* from = input, to = output)
        {
            var source = new Buffer { Start = from, Size = (nuint)input.Length };
            var target = new Buffer { Start = to, Size = (nuint)output.Length };
            var code = ZSTD_decompressStream(decoder, ref target, ref source);
            if (ZSTD_isError(code) != 0)
            {
                throw new InvalidDataException(Marshal.PtrToStringUTF8(ZSTD_getErrorName(code)));
            }

            (used, made) = ((int)source.Position, (int)target.Position);
            return code == 0;
        }
    }

    /// <summary>For <see cref="ZstdHandle"/> alone.</summary>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nuint ZSTD_freeDStream(nint stream);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial ZstdHandle ZSTD_createDStream();

    /// <returns>0 at the end of a frame that is fully given out, an error, or a hint of how much more to read.</returns>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nuint ZSTD_decompressStream(ZstdHandle stream, ref Buffer output, ref Buffer input);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint ZSTD_isError(nuint code);

    /// <summary>Text that lives as long as the library.</summary>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ZSTD_getErrorName(nuint code);

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer, which are laid out alike.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Buffer
    {
        public byte* Start;
        public nuint Size;
        public nuint Position;
    }
}
