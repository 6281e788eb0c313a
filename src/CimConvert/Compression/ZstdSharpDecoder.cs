using System.Runtime.InteropServices;
using ZstdSharp.Unsafe;

namespace CimConvert.Compression;

/// <summary>
/// Decodes with ZstdSharp, the port of libzstd to C#. Calls the ported C functions: <c>ZstdSharp.Decompressor</c> does not say what is
/// wrong with damaged data.
/// </summary>
internal sealed unsafe class ZstdSharpDecoder : ZstdDecoder
{
    private readonly Handle _handle = new();

    public override bool Decompress(ReadOnlySpan<byte> input, Span<byte> output, out int read, out int written)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        fixed (byte* from = input, to = output)
        {
            var source = new ZSTD_inBuffer_s { src = from, size = (nuint)input.Length };
            var target = new ZSTD_outBuffer_s { dst = to, size = (nuint)output.Length };
            var code = Methods.ZSTD_decompressStream(_handle.Decoder, &target, &source);
            GC.KeepAlive(_handle);
            if (Methods.ZSTD_isError(code))
            {
                throw new InvalidDataException(Methods.ZSTD_getErrorName(code));
            }

            (read, written) = ((int)source.pos, (int)target.pos);
            return code == 0;
        }
    }

    public override void Dispose() => _handle.Dispose();

    /// <summary>The decoder's memory is not the garbage collector's.</summary>
    private sealed class Handle : SafeHandle
    {
        public Handle()
            : base(0, ownsHandle: true)
        {
            SetHandle((nint)Methods.ZSTD_createDStream());
            if (IsInvalid)
            {
                throw new InvalidOperationException("ZstdSharp cannot allocate a decoder");
            }
        }

        public ZSTD_DCtx_s* Decoder => (ZSTD_DCtx_s*)handle;

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle() => Methods.ZSTD_freeDStream(Decoder) == 0;
    }
}
