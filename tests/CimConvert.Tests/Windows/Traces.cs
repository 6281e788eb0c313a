using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>What the recorder wrote in one test: a list of calls for each CIM, in the order the CIMs were created.</summary>
internal sealed class Traces(string folder)
{
    private const string CreateImage = """{"op":"CreateImage2",""";

    /// <summary>The environment that makes the recorder write here.</summary>
    public Dictionary<string, string?> Environment(params (string Name, string Value)[] more)
    {
        Directory.CreateDirectory(folder);
        var environment = more.ToDictionary(variable => variable.Name, variable => (string?)variable.Value, StringComparer.Ordinal);
        environment["CIM_TRACE"] = WinePrefix.PathOf(folder);
        return environment;
    }

    public IReadOnlyList<string[]> Images() => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "???.jsonl").Order(StringComparer.Ordinal).Select(File.ReadAllLines)]
        : [];

    public string[] Mounts() => File.ReadAllLines(Path.Combine(folder, "mounts.jsonl"));

    /// <summary>The calls of the only CIM.</summary>
    public string[] Only()
    {
        var images = Images();
        Assert.That(images, Has.Count.EqualTo(1));
        return images[0];
    }

    /// <summary>A recorded trace of several CIMs, one after the other, cut into CIMs.</summary>
    public static IReadOnlyList<string[]> Cut(IEnumerable<string> lines)
    {
        var images = new List<List<string>>();
        foreach (var line in lines.Where(line => line.Length > 0))
        {
            if (line.StartsWith(CreateImage, StringComparison.Ordinal))
            {
                images.Add([]);
            }

            images[^1].Add(line);
        }

        return [.. images.Select(image => image.ToArray())];
    }

    /// <summary>Names of the calls, in their order.</summary>
    public static string[] Operations(IEnumerable<string> lines) => [.. lines.Select(line => line.Split('"')[3])];
}
