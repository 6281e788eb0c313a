using System.Buffers.Binary;
using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Cims.Tools;

/// <summary>Destroying removes a CIM's own files, and nothing else whatever its header says.</summary>
public class CimDestructionTests
{
    private const int OwnSetAt = 32;
    private const int CountAt = OwnSetAt + 16;
    private const int ParentsAt = 72;
    private const int SetSize = 24;

    [Test]
    public void The_last_of_a_chain_goes_with_its_files_alone()
    {
        using var chain = new Chain();
        var own = chain.FilesOf(2);

        Assert.That(CimDestruction.Destroy(chain[2], force: false), Is.EquivalentTo(own));

        Assert.That(own.Where(File.Exists), Is.Empty);
        Assert.That(chain.Files, Has.Length.EqualTo(14));
        Assert.That(ForkLab.List(chain[1]), Is.EqualTo("a=1 b=2"));
    }

    [Test]
    public void One_that_others_are_forked_from_stays_unless_forced([Values(0, 1)] int level)
    {
        using var chain = new Chain();
        var children = string.Join(", ", Enumerable.Range(level + 2, 2 - level).Select(n => $"layer{n}.cim"));
        chain.AssertRefused<ConversionException>(level, force: false, children);

        CimDestruction.Destroy(chain[level], force: true);

        Assert.That(chain.Files, Has.Length.EqualTo(14));
        Assert.That(() => ForkLab.List(chain[2]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("is missing"));
    }

    [Test]
    public void One_that_lacks_a_region_stays_unless_forced()
    {
        using var chain = new Chain();
        var region = chain.FilesOf(2).Single(file => file.EndsWith("_1", StringComparison.Ordinal) && file.Contains("region_", StringComparison.Ordinal));
        File.Delete(region);
        chain.AssertRefused<InvalidDataException>(2, force: false, $"region file '{region}', number 1 of the 3");

        Assert.That(CimDestruction.Destroy(chain[2], force: true), Has.Count.EqualTo(6));
        Assert.That(chain.Files, Has.Length.EqualTo(14));
    }

    [Test]
    public void A_file_that_only_has_the_name_of_a_region_is_not_removed()
    {
        using var chain = new Chain();
        File.WriteAllText(chain.FilesOf(2).First(file => file.Contains("region_", StringComparison.Ordinal)), "somebody's own");

        chain.AssertRefused<InvalidDataException>(2, force: false, "is not the region file that");
    }

    [Test]
    public void Regions_of_another_are_never_removed([Values] bool force)
    {
        using var chain = new Chain();
        chain.Patch(2, header => File.ReadAllBytes(chain[0]).AsSpan(OwnSetAt, SetSize).CopyTo(header.AsSpan(OwnSetAt)));
        chain.AssertRefused<InvalidDataException>(2, force, "lists its own region set as a parent");

        chain.Patch(2, header => header.AsSpan(ParentsAt - sizeof(ushort), sizeof(ushort)).Clear());
        chain.AssertRefused<InvalidDataException>(2, force, "both claim the same regions");
        chain.AssertRefused<InvalidDataException>(0, force, "both claim the same regions");
    }

    [Test]
    public void A_count_that_is_a_lie_is_one_clear_error()
    {
        using var chain = new Chain();
        chain.Patch(2, header => BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(CountAt), 60_000));
        chain.AssertRefused<InvalidDataException>(2, force: false, "number 3 of the 60000");

        chain.Patch(2, header => BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(CountAt), ushort.MaxValue));
        chain.AssertRefused<InvalidDataException>(2, force: true, "more regions than offsets can name");

        chain.Patch(2, header => BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(ParentsAt - sizeof(ushort)), ushort.MaxValue));
        chain.AssertRefused<InvalidDataException>(2, force: true, "65535 parents");
    }

    [Test]
    public void Beside_a_cim_that_cannot_be_read_nothing_is_removed_unless_forced()
    {
        using var chain = new Chain();
        File.WriteAllText(Path.Combine(chain.Directory, "other.cim"), "no header");
        chain.AssertRefused<ConversionException>(2, force: false, "whether it is forked from the CIM to destroy cannot be told");

        CimDestruction.Destroy(chain[2], force: true);

        Assert.That(chain.Files, Has.Length.EqualTo(15));
    }

    [Test]
    public void What_is_no_standard_cim_is_refused()
    {
        using var chain = new Chain();
        File.WriteAllText(Path.Combine(chain.Directory, "layer.bcim"), "a block file");
        Assert.That(() => CimDestruction.Destroy(Path.Combine(chain.Directory, "layer.bcim"), force: true), Throws.TypeOf<ConversionException>().With.Message.Contains("no standard CIM"));
        Assert.That(() => CimDestruction.Destroy(Path.Combine(chain.Directory, "none.cim"), force: true), Throws.InstanceOf<IOException>());

        chain.Patch(2, header => header[0] = 0);
        chain.AssertRefused<InvalidDataException>(2, force: true, chain[2]);
    }

    [Test]
    public void A_destruction_that_was_cut_short_is_taken_up_again([Range(0, 6)] int removed)
    {
        using var chain = new Chain();
        var own = chain.FilesOf(2);
        File.Move(chain[2], chain[2] + ".destroying");
        own.Where(File.Exists).Take(removed).ToList().ForEach(File.Delete);

        CimDestruction.Destroy(chain[2], force: false);

        Assert.That(chain.Files, Has.Length.EqualTo(14));
        Assert.That(ForkLab.List(chain[1]), Is.EqualTo("a=1 b=2"));
    }

    /// <summary>Three CIMs, each forked from the one before.</summary>
    private sealed class Chain : IDisposable
    {
        private readonly CimLab _lab = new();
        private readonly string[] _cims;

        public Chain()
        {
            var forks = new ForkLab(_lab);
            _cims = [.. forks.Write("a=1 | b=2 | c=3")];
            Directory = forks.Directory;
        }

        public string Directory { get; }

        public string[] Files => System.IO.Directory.GetFileSystemEntries(Directory);

        public string this[int level] => _cims[level];

        public string[] FilesOf(int level) => [.. StandardCim.Open(_cims[level]).OwnFiles, _cims[level]];

        public void Patch(int level, Action<byte[]> change)
        {
            var bytes = File.ReadAllBytes(_cims[level]);
            change(bytes);
            File.WriteAllBytes(_cims[level], bytes);
        }

        public void AssertRefused<T>(int level, bool force, string message)
            where T : Exception
        {
            var before = Files;
            Assert.That(() => CimDestruction.Destroy(_cims[level], force), Throws.TypeOf<T>().With.Message.Contains(message));
            Assert.That(Files, Is.EquivalentTo(before));
        }

        public void Dispose() => _lab.Dispose();
    }
}
