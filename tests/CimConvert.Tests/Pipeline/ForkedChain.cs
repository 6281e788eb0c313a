using System.Globalization;
using CimConvert.TestKit;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Layers;

namespace CimConvert.Tests.Pipeline;

/// <summary>A chain of twenty layers in which everything happens to a file that can happen between layers.</summary>
internal static class ForkedChain
{
    public const int Length = 20;
    private const int ManyFiles = 1500;
    private const int PlacesShared = 5;

    public static IReadOnlyList<LayerBuilder> Layers => [Base(), .. Enumerable.Range(1, Length - 1).Select(Layer)];

    /// <summary>Whether a layer changes the registry; some that do lie above some that do not.</summary>
    private static bool HasDeltas(int layer) => layer is 2 or 7 or 8 or 19;

    private static LayerBuilder Base()
    {
        var layer = new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
            .Directory("Files").BaseHives(name => HiveImage.Build(new KeySpec("ROOT").With(new KeySpec(name))))
            .Directory("Files/shared").Directory("Files/replaced").Directory("Files/opaque").Directory("Files/many");
        for (var i = 0; i < PlacesShared; i++)
        {
            layer.File($"Files/shared/r{i}", SeededContent.Bytes(i, 3000 + (i * 700)));
        }

        for (var i = 0; i < ManyFiles; i++)
        {
            layer.File($"Files/many/{i}", i.ToString(CultureInfo.InvariantCulture));
        }

        return layer
            .File("Files/replaced/old", "old").Directory("Files/replaced/deep").File("Files/replaced/deep/old", "old")
            .File("Files/opaque/old", "old").File("Files/flip", "a file").File("Files/flop/child", "in a directory")
            .HardLink("Files/many/linked", "Files/shared/r0").HardLink("Files/linked", "Files/shared/r1");
    }

    private static LayerBuilder Layer(int n)
    {
        var layer = new LayerBuilder { DefaultSecurityDescriptor = n % 2 == 0 ? Descriptors.Administrators : null }
            .Directory("Files").Directory($"Files/layer{n}")
            .File($"Files/layer{n}/f0", SeededContent.Bytes(100 + n, 5000))
            .File($"Files/layer{n}/f1", $"layer {n}").AlternateStream($"Files/layer{n}/f1", "s", [1, 2, (byte)n])
            .File($"Files/layer{n}/sub/f2", "no entry for its directory")
            .File($"Files/shared/r{n % PlacesShared}", SeededContent.Bytes(n, 4096 + n))
            .File($"Files/many/{n * 70}", $"changed by {n}")
            .HardLink($"Files/layer{n}/shared", $"Files/shared/r{(n + 1) % PlacesShared}")
            .HardLink($"Files/layer{n}/own", $"Files/layer{n}/f0")
            .HardLink($"Files/layer{n}/moved", $"Files/many/{(n * 70) + 1}").Whiteout($"Files/many/{(n * 70) + 1}");
        if (n > 1)
        {
            layer.HardLink($"Files/layer{n}/below", $"Files/layer{n - 1}/own").Whiteout($"Files/layer{n - 1}/f0");
        }

        if (n % 4 == 0)
        {
            layer.Whiteout($"Files/layer{n - 2}").HardLink($"Files/kept{n}", $"Files/layer{n - 2}/shared");
        }

        if (n % 5 == 0)
        {
            layer.Whiteout("Files/replaced").Directory("Files/replaced").File($"Files/replaced/new{n}", "new").Symlink("Files/replaced/link", "../flip");
        }

        if (n % 6 == 0)
        {
            layer.OpaqueWhiteout("Files/opaque").File($"Files/opaque/new{n}", "new");
        }

        if (n % 7 == 0)
        {
            layer.Directory("Files/MANY").Whiteout("Files/many/none").Whiteout("Files/nowhere/none");
        }

        layer = n % 3 == 0
            ? layer.Directory("Files/flip").File($"Files/flip/{n}", "child").File("Files/flop", "a file")
            : layer.File("Files/flip", $"file of {n}").File($"Files/flop/{n}", "child");
        return HasDeltas(n)
            ? layer.Directory("Hives").DeltaHives(name => HiveImage.BuildDelta(new KeySpec("ROOT").With(new KeySpec($"{name}{n}"))))
            : layer;
    }
}
