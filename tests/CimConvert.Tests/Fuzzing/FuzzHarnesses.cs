using CimConvert.TestKit.Fuzzing;

namespace CimConvert.Tests.Fuzzing;

/// <summary>All fuzz targets.</summary>
internal static class FuzzHarnesses
{
    private static readonly Dictionary<string, Func<FuzzHarness>> s_all = new(StringComparer.Ordinal)
    {
        ["tar"] = () => new TarHarness(),
        ["pax"] = () => new PaxHarness(),
        ["layer"] = () => new LayerHarness(),
        ["descriptor"] = () => new DescriptorHarness(),
        ["regf"] = () => new HiveHarness(),
        ["cim"] = () => new CimReadHarness(),
        ["fork"] = () => new CimForkHarness(),
        ["cim-tools"] = () => new CimToolsHarness(),
        ["container"] = () => new ContainerHarness(),
        ["gzip"] = () => new GzipHarness(),
        ["gzip-chunks"] = () => new GzipChunksHarness(),
        ["compressed"] = () => new StreamHarness(),
        ["documents"] = () => new DocumentHarness(),
        ["references"] = () => new ReferenceHarness(),
        ["docker-archive"] = () => new ArchiveHarness(),
        ["challenges"] = () => new ChallengeHarness(),
        ["addresses"] = () => new AddressHarness(),
        ["hosts.toml"] = () => new HostsHarness(),
        ["yaml"] = () => new ListHarness(),
        ["logins"] = () => new LoginHarness(),
    };

    public static IReadOnlyList<string> Names { get; } = [.. s_all.Keys];

    public static FuzzHarness Make(string name) => s_all.TryGetValue(name, out var make)
        ? make()
        : throw new ArgumentException($"there is no harness '{name}'; there are: {string.Join(", ", Names)}", nameof(name));
}
