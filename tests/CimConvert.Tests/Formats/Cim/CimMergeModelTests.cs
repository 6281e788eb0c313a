using System.Globalization;
using CimConvert.Cims;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>Random layers merged by the product and by <see cref="MergeModel"/>: the same CIM, or an error from both.</summary>
[Category(Categories.Slow)]
internal sealed class CimMergeModelTests
{
    // Few names, so that layers meet; two cases of one of them.
    private static readonly string[] s_names = ["a", "b", "c", "B"];

    [Test]
    public void Random_layers_merge_as_the_model_says([Range(0, 19)] int batch)
    {
        const int rounds = 15;
        var errors = 0;
        for (var round = 0; round < rounds; round++)
        {
            var random = new Random((batch * rounds) + round);
            var script = string.Join(" | ", Enumerable.Range(0, random.Next(2, 5)).Select(i => Layer(random, i + 1)));
            errors += Compare(script) ? 0 : 1;
        }

        // Cases that only fail would compare nothing.
        Assert.That(errors, Is.LessThan(rounds * 3 / 4));
    }

    /// <summary>False where both refuse the layers.</summary>
    private static bool Compare(string script)
    {
        var model = new MergeModel();
        string? expectedError = null;
        try
        {
            foreach (var (layer, i) in LayerScript.Layers(script).Select((layer, i) => (layer, i)))
            {
                model.Add(layer, i + 1);
            }
        }
        catch (InvalidDataException e)
        {
            expectedError = e.Message;
        }

        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, script);
        if (expectedError is not null)
        {
            // A link that a layer above hides is never followed: the merge may then succeed where the model did not.
            try
            {
                lab.Merge("m", sources);
            }
            catch (InvalidDataException)
            {
            }

            return false;
        }

        using var image = OpenCim.Open(lab.Merge("m", sources), sources);
        Assert.That(Sorted(LayerScript.Words(LayerScript.List(image.Cim))), Is.EqualTo(Sorted(model.List())), script);
        return true;
    }

    /// <summary>Without the case of letters: how a directory is spelled that only entries in it imply is not the model's matter.</summary>
    private static string[] Sorted(IEnumerable<string> words) => [.. words.Select(w => w.ToUpperInvariant()).Order(StringComparer.Ordinal)];

    public static string Layer(Random random, int number)
    {
        // One kind for each path within a layer: a path below a file is refused, and that is another test.
        var words = new List<string>();
        var files = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var directories = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = random.Next(1, 7); i > 0; i--)
        {
            var path = Path(random);
            var kind = random.Next(12);
            var above = Parents(path).ToArray();
            if (kind >= 8)
            {
                words.Add((kind == 11 ? "!" : "-") + path);
                continue;
            }

            if (above.Any(files.Contains) || (kind < 6 && directories.Contains(path)) || (kind >= 6 && files.Contains(path)))
            {
                continue;
            }

            directories.UnionWith(above);
            (kind < 6 ? files : directories).Add(path);
            words.Add(kind switch
            {
                < 5 => path + "=" + (number * 100 + i).ToString(CultureInfo.InvariantCulture),
                5 => path + "->" + Path(random),
                _ => path + "/",
            });
        }

        // Whiteouts and opaque markers below or at a file of the same layer are refused, or mean nothing.
        return string.Join(' ', words.Where(w => w[0] is not ('!' or '-') || !Parents(w[1..]).Append(w[1..]).Any(files.Contains)));
    }

    private static string Path(Random random) =>
        string.Join('\\', Enumerable.Range(0, random.Next(1, 4)).Select(_ => s_names[random.Next(s_names.Length)]));

    private static IEnumerable<string> Parents(string path)
    {
        for (var cut = path.LastIndexOf('\\'); cut > 0; cut = path.LastIndexOf('\\', cut - 1))
        {
            yield return path[..cut];
        }
    }
}
