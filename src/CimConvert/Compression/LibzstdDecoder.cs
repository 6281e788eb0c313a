using CimConvert.Interop;

namespace CimConvert.Compression;

/// <summary>Decodes with the system's libzstd.</summary>
internal sealed class LibzstdDecoder : ZstdDecoder
{
    private readonly LibzstdHandle _handle = Libzstd.CreateDecoder();

    public override bool Decompress(ReadOnlySpan<byte> input, Span<byte> output, out int read, out int written) =>
        Libzstd.Decompress(_handle, input, output, out read, out written);

    public override void Dispose() => _handle.Dispose();
}
