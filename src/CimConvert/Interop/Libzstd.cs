using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>The system's libzstd, for decompression (zstd.h, "Streaming decompression"). Sizes are <c>size_t</c>.</summary>
internal static unsafe partial class Libzstd
{
    public const string Library = "zstd";

    static Libzstd() => NativeLibraries.Register();

    /// <summary>Whether this machine has libzstd, with every function used here.</summary>
    public static bool IsPresent { get; } = NativeLibraries.HasExports(
        Library,
        nameof(ZSTD_createDStream),
        nameof(ZSTD_freeDStream),
        nameof(ZSTD_decompressStream),
        nameof(ZSTD_isError),
        nameof(ZSTD_getErrorName));

    /// <exception cref="InvalidOperationException">libzstd could not allocate the decoder.</exception>
    public static LibzstdHandle CreateDecoder()
    {
        var decoder = ZSTD_createDStream();
        return decoder.IsInvalid ? throw new InvalidOperationException("libzstd cannot allocate a decoder") : decoder;
    }

    /// <summary>Decompresses until the input is used up or the output is full; the next frame starts by itself.</summary>
    /// <param name="decoder">Keeps its state between calls.</param>
    /// <param name="input">The next compressed bytes.</param>
    /// <param name="output">Where decompressed bytes go.</param>
    /// <param name="read">Bytes taken from the input.</param>
    /// <param name="written">Bytes written to the output.</param>
    /// <returns>Whether a frame has just ended and all of it was written.</returns>
    /// <exception cref="InvalidDataException">The data is damaged, or not zstd.</exception>
    public static bool Decompress(LibzstdHandle decoder, ReadOnlySpan<byte> input, Span<byte> output, out int read, out int written)
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

            (read, written) = ((int)source.Position, (int)target.Position);
            return code == 0;
        }
    }

    /// <summary>For <see cref="LibzstdHandle"/> only.</summary>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nuint ZSTD_freeDStream(nint stream);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial LibzstdHandle ZSTD_createDStream();

    /// <returns>0 at the end of a frame that is completely written, an error, or a hint of how much to read next.</returns>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nuint ZSTD_decompressStream(LibzstdHandle stream, ref Buffer output, ref Buffer input);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint ZSTD_isError(nuint code);

    /// <summary>A static string of the library.</summary>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ZSTD_getErrorName(nuint code);

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer, which have the same layout.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Buffer
    {
        public byte* Start;
        public nuint Size;
        public nuint Position;
    }
}
