using System.IO.Compression;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Gzip;

/// <summary>What is malformed is refused, and nothing else: as zlib does.</summary>
public class InflateRefusalTests
{
    private static readonly byte[] s_literals = RandomCode.Lengths(1, 286, 286, 15);
    private static readonly byte[] s_distances = RandomCode.Lengths(2, 30, 30, 15);

    private static IEnumerable<TestCaseData> Malformed()
    {
        yield return Case("A_reserved_block", new DeflateWriter().Bits(1, 1).Bits(3, 2).Bits(0, 29), "a block of the reserved type at byte 0");
        yield return Case(
            "A_stored_block_with_another_length",
            new DeflateWriter().Bits(1, 8).Bits(3, 16).Bits(3, 16).Bytes("abc"u8),
            "a stored block whose length is not confirmed at byte 5");
        yield return Case("Too_many_literals", Lengths(287, 1), "more symbols than there are");
        yield return Case("Too_many_distances", Lengths(257, 31), "more symbols than there are");
        yield return Case("Literal_codes_that_overflow", Dynamic([1, 1, .. s_literals[2..]], s_distances), "literal code lengths that make no code");
        yield return Case("Literal_codes_that_leave_room", Dynamic([.. new byte[256], 2, 2, 2], s_distances), "literal code lengths that make no code");
        yield return Case("A_single_literal_code_of_two_bits", Dynamic([.. new byte[256], 2], [1, 1]), "literal code lengths that make no code");
        yield return Case("Distance_codes_that_overflow", Dynamic(s_literals, [1, 1, 1]), "distance code lengths that make no code");
        yield return Case("Distance_codes_that_leave_room", Dynamic(s_literals, [2, 2, 2]), "distance code lengths that make no code");
        yield return Case("A_single_distance_code_of_two_bits", Dynamic(s_literals, [2]), "distance code lengths that make no code");
        yield return Case("No_end_of_block", Dynamic([.. Enumerable.Repeat((byte)8, 256), 0], [0]), "a block without a code for its end");
        yield return Case("A_first_length_that_repeats", Lengths(257, 1).LengthSymbol(16).Bits(0, 2), "a first code length that repeats the one before");
        yield return Case("Lengths_repeated_too_often", Lengths(257, 1).LengthSymbol(18).Bits(127, 7).LengthSymbol(18).Bits(110, 7), "more code lengths than symbols");
        yield return Case("A_code_of_lengths_that_leaves_room", new DeflateWriter().Bits(5, 3).Bits(0, 14).Bits(0b010_001, 12), "code lengths of code lengths that make no code");
        yield return Case("A_code_of_lengths_that_overflows", new DeflateWriter().Bits(5, 3).Bits(0, 14).Bits(0b001_001_001, 12), "code lengths of code lengths that make no code");
        yield return Case("No_code_of_lengths", new DeflateWriter().Bits(5, 3).Bits(0, 14).Bits(0, 12), "a code that stands for no code length");
        yield return Case("Literal_286", new DeflateWriter().Fixed(last: true).Symbol(286).End(), "a code that stands for no literal or length");
        yield return Case("Literal_287", new DeflateWriter().Fixed(last: true).Symbol(287).End(), "a code that stands for no literal or length");
        yield return Case("Distance_30", Fixed("abc"u8).Symbol(257).DistanceSymbol(30).End(), "a code that stands for no distance");
        yield return Case("Distance_31", Fixed("abc"u8).Symbol(257).DistanceSymbol(31).End(), "a code that stands for no distance");
        yield return Case("A_distance_where_there_are_none", Dynamic(s_literals, [0]).Symbol('a').Symbol(257).Bits(0, 1), "a code that stands for no distance");
        yield return Case(
            "The_other_code_of_a_single_distance", Dynamic(s_literals, [1]).Symbol('a').Symbol(257).Bits(1, 1), "a code that stands for no distance");
        yield return Case(
            "The_other_code_of_a_single_literal", Dynamic([.. new byte[256], 1], [0]).Bits(1, 1), "a code that stands for no literal or length");
        yield return Case("A_match_before_all_data", new DeflateWriter().Fixed(last: true).Match(3, 1).End(), "a distance beyond the start of the data");
        yield return Case("A_match_one_byte_too_far", Fixed("abc"u8).Match(3, 4).End(), "a distance beyond the start of the data");
        yield return Case("Nothing", new DeflateWriter(), "the stream ends at byte 0, inside a member");

        static DeflateWriter Lengths(int literals, int distances) => new DeflateWriter().DynamicHeader(literals, distances, last: true);
        static DeflateWriter Dynamic(byte[] literals, byte[] distances) => new DeflateWriter().Dynamic(literals, distances, last: true);
        static DeflateWriter Fixed(ReadOnlySpan<byte> literals) => new DeflateWriter().Fixed(last: true).Literals(literals);
        static TestCaseData Case(string name, DeflateWriter writer, string message) => new(writer.ToArray(), message) { TestName = name };
    }

    [TestCaseSource(nameof(Malformed))]
    public void It_is_refused(byte[] deflate, string message)
    {
        byte[] followed = deflate.Length == 0 ? [] : [.. deflate, .. new byte[64]];
        Assert.That(() => Deflates.Read(followed), Throws.TypeOf<InvalidDataException>().With.Message.Contain(message));
        Assert.That(Deflates.TryReadByZlib(followed), Is.Null, "zlib reads it");
    }

    private static IEnumerable<byte[]> Small()
    {
        var text = GzipFiles.Compressible(5, 900);
        foreach (var level in (int[])[0, 1, 6, 9])
        {
            yield return Deflates.Compress(text, new ZLibCompressionOptions { CompressionLevel = level });
        }

        yield return Deflates.Compress(text[..60], new ZLibCompressionOptions { CompressionLevel = 6, CompressionStrategy = ZLibCompressionStrategy.Fixed });
        yield return new DeflateWriter().Dynamic(s_literals, s_distances).Literals("abcdefg"u8).Match(30, 2).End().Stored("xyz"u8).Fixed(last: true).Match(258, 9).End().ToArray();
    }

    [TestCaseSource(nameof(Small))]
    public void Every_truncation_is_found(byte[] deflate)
    {
        for (var length = 0; length < deflate.Length; length++)
        {
            Assert.That(
                () => Deflates.Read(deflate[..length]),
                Throws.TypeOf<InvalidDataException>().With.Message.EqualTo($"the stream ends at byte {length}, inside a member"));
        }
    }

    [TestCaseSource(nameof(Small))]
    public void Every_flipped_bit_means_to_us_what_it_means_to_zlib(byte[] deflate)
    {
        for (var bit = 0; bit < deflate.Length * 8; bit++)
        {
            var damaged = deflate.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            MeansTheSame(damaged, $"bit {bit}");
        }
    }

    [Test]
    public void Damage_far_into_a_stream_means_to_us_what_it_means_to_zlib([Range(1, 40)] int seed)
    {
        var choices = new Choices(seed);
        var damaged = Deflates.Compress(GzipFiles.Compressible(seed, 120_000), new ZLibCompressionOptions { CompressionLevel = 1 + (seed % 9) });
        for (var flips = choices.Next(3); flips >= 0; flips--)
        {
            damaged[choices.Next(damaged.Length)] ^= (byte)(1 << choices.Next(8));
        }

        MeansTheSame(damaged, $"seed {seed}");
    }

    private static void MeansTheSame(byte[] damaged, string what)
    {
        var (ours, zlibs) = (Deflates.TryRead(damaged), Deflates.TryReadByZlib(damaged));
        Assert.That(ours is null, Is.EqualTo(zlibs is null), $"{what}: refused");
        ByteAssert.Equal(zlibs, ours, what);
    }
}
