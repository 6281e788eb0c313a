using CimConvert.Cims;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>Random chains: forked CIMs read at every level as the block CIMs of the same layers, merged.</summary>
[Category(Categories.Slow)]
internal sealed class CimForkModelTests
{
    [Test]
    public void Random_chains_fork_as_they_merge([Range(0, 9)] int batch)
    {
        const int rounds = 12;
        var compared = 0;
        for (var round = 0; round < rounds; round++)
        {
            var random = new Random(5000 + (batch * rounds) + round);
            var script = string.Join(" | ", Enumerable.Range(0, random.Next(2, 7)).Select(i => CimMergeModelTests.Layer(random, i + 1)));
            compared += Compare(script);
        }

        Assert.That(compared, Is.GreaterThan(rounds));
    }

    /// <returns>How many levels both made.</returns>
    private static int Compare(string script)
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);
        var blocks = LayerScript.Write(lab, script).Reverse().ToArray();
        var level = 0;
        using var chain = forks.Write(script).GetEnumerator();
        while (MoveNext(chain))
        {
            level++;
            var sources = blocks[..level].Reverse().ToArray();
            var expected = level == 1 ? WithoutWhiteouts(lab, blocks[0]) : ListMerged(lab, level, sources);
            Assert.That(ForkLab.List(chain.Current), Is.EqualTo(expected), $"{script}\nlevel {level}");
            Assert.That(() => forks.Walk(chain.Current), Throws.Nothing, $"{script}\nlevel {level}");
        }

        return level;
    }

    /// <summary>A link that has no target is refused at once, where a merge refuses it only as long as nothing hides it.</summary>
    private static bool MoveNext(IEnumerator<string> chain)
    {
        try
        {
            return chain.MoveNext();
        }
        catch (InvalidDataException e)
        {
            Assert.That(e.Message, Does.StartWith("link "));
            return false;
        }
    }

    private static string ListMerged(CimLab lab, int level, string[] sources)
    {
        using var image = OpenCim.Open(lab.Merge($"merged{level}", sources), sources);
        return LayerScript.List(image.Cim);
    }

    /// <summary>A merge takes two: an empty layer below changes nothing.</summary>
    private static string WithoutWhiteouts(CimLab lab, string block)
    {
        var empty = lab.Write("empty", static _ => { });
        return ListMerged(lab, 1, [block, empty]);
    }
}
