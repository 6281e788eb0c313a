using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Cim;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Sources;
using CimConvert.Store;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Registry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CimConvert.Tests.Pipeline;

/// <summary>Layers with real hives, made by the kit alone, and their conversion in this process.</summary>
internal static class HiveImage
{
    /// <summary>The product, the UBR and a vendor's key, beside four hives of one key.</summary>
    public static readonly KeySpec Software = new KeySpec("ROOT").With(
        new KeySpec("Microsoft").With(new ValueSpec("UBR", 4, [0x8C, 0x0A, 0, 0]), ValueSpec.Text("Product", "W")),
        new KeySpec("Vendor").With(new KeySpec("Setup").With(new ValueSpec("Reboots", 4, [1, 0, 0, 0])), new KeySpec("Trial")));

    /// <summary>A value changed, one removed, a key removed and one new.</summary>
    public static readonly KeySpec SoftwareDelta = new KeySpec("ROOT").With(
        new KeySpec("App").With(ValueSpec.Text(string.Empty, "a")),
        new KeySpec("microsoft").With(new ValueSpec("ubr", 4, [1, 0, 0, 0])),
        new KeySpec("Vendor").With(new KeySpec("Setup").With(ValueSpec.Tombstone("Reboots")), new KeySpec("Trial") { Layer = 1 }));

    /// <summary>Written by hand: what <c>hivexregedit --export</c> must say of the two merged.</summary>
    public const string MergedSoftware =
        """
        Windows Registry Editor Version 5.00

        [\]

        [\App]
        @=hex(1):61,00,00,00

        [\Microsoft]
        "Product"=hex(1):57,00,00,00
        "ubr"=dword:00000001

        [\Vendor]

        [\Vendor\Setup]


        """;

    public static byte[] Build(KeySpec root) => new HiveBuilder(root).Build();

    public static byte[] BuildDelta(KeySpec root) => new HiveBuilder(root) { MinorVersion = 6, Flags = 2 }.Build();

    public static LayerBuilder Base() => new LayerBuilder()
        .Directory("Files")
        .BaseHives(name => Build(name == "SOFTWARE" ? Software : new KeySpec("ROOT").With(new KeySpec(name))));

    public static LayerBuilder Without(string name = "middle") => new LayerBuilder().Directory("Files").File($"Files/{name}.txt", name);

    public static LayerBuilder Changing(string delta, byte[] hive) => new LayerBuilder().Directory("Files").Directory("Hives").File($"Hives/{delta}", hive);

    /// <summary>Serves an image of these layers, base first.</summary>
    public static OciImage Serve(this FakeRegistry registry, string folder, params ReadOnlySpan<LayerBuilder> layers)
    {
        var builder = new ImageBuilder();
        foreach (var layer in layers)
        {
            builder.Layer(layer);
        }

        var image = builder.WriteTo(folder, FakeImage.Tag);
        registry.AddLayout(FakeImage.Repository, folder);
        return image;
    }

    public static async Task<ConversionResult> ConvertAsync(this FakeRegistry registry, string store, int concurrency = 2, IHiveMerger? merger = null, ILogger? logger = null)
    {
        var options = new ConversionOptions
        {
            Platform = Platform.Parse("windows/amd64"),
            Concurrency = concurrency,
            Hives = merger ?? new ManagedHiveMerger(),
        };
        using var client = FakeImage.Client();
        return await new ImageConversion(ConversionStore.Open(store), new ManagedBackend(), options, logger ?? NullLogger.Instance)
            .RunAsync(new RegistrySource(client, registry.Reference()), default);
    }

    public static string HiveFile(this StoredLayer layer, string name) => Path.Combine(layer.Folder, "Hives", name);

    /// <summary>A file of the merged CIM.</summary>
    public static byte[] ReadMerged(this ConversionResult result, string path)
    {
        using var image = OpenCim.Open(result.Top.MergedPath!, ConversionStore.SourcesOf(result.Top.MergedPath!));
        using var stream = image.Cim.OpenStream(image.Cim.Find(CimPath.Parse(path))!.Value.Data);
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
