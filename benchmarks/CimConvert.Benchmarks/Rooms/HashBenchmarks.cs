using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using CimConvert.Oci;
using CimConvert.TestKit;

namespace CimConvert.Benchmarks.Rooms;

/// <summary>64 MB hashed: at once, in the pieces the pipeline passes on, and by the stream that checks what is read through it.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class HashBenchmarks
{
    private const int Size = 64 * 1024 * 1024;
    private const int Piece = 256 * 1024;

    private readonly byte[] _buffer = new byte[Piece];
    private byte[] _content = [];

    [GlobalSetup]
    public void MakeContent() => _content = SeededContent.Bytes(seed: 8, Size);

    [Benchmark(Baseline = true)]
    public byte[] Sha256() => SHA256.HashData(_content);

    [Benchmark]
    public byte[] InPieces()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var at = 0; at < Size; at += Piece)
        {
            hash.AppendData(_content.AsSpan(at, Piece));
        }

        return hash.GetHashAndReset();
    }

    [Benchmark]
    public long ThroughStream()
    {
        using var stream = new DigestingStream(new MemoryStream(_content), "the content", expected: null, Size);
        while (stream.Read(_buffer) > 0)
        {
        }

        return stream.BytesRead;
    }
}
