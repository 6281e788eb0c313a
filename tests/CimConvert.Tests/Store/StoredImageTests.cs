using CimConvert.Oci;
using CimConvert.Store;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Store;

/// <summary>Which image of a store is meant by <c>STORE::REF</c>.</summary>
internal sealed class StoredImageTests : IDisposable
{
    private const string Reference = "host/a:1";
    private static readonly string[] s_versions = ["10.0.17763.5", "10.0.20348.7", "10.0.26100.1"];

    private readonly TempFolder _folder = new();
    private readonly ConversionStore _store;

    public StoredImageTests() => _store = ConversionStore.Open(_folder["store"]);

    public void Dispose() => _folder.Dispose();

    [TestCase("10.0.17763", null, 0, TestName = "By_its_build")]
    [TestCase("10.0.20348.7", "10.0.17763.9", 1, TestName = "By_its_version_whatever_the_host")]
    [TestCase(null, "10.0.20348.1", 1, TestName = "By_the_hosts_version_where_none_is_asked_for")]
    [TestCase(null, "10.0.22631.1", 1, TestName = "The_newest_that_the_host_runs")]
    [TestCase(null, null, 2, TestName = "The_newest_where_there_is_no_windows")]
    public async Task One_of_several_versions_is_found(string? osVersion, string? host, int index)
    {
        await AddAllAsync();

        var found = StoredImage.Find($"{_store.Root}::{Reference}", Wanted(osVersion, host));

        Assert.That(found.ToString(), Does.Contain(StoredImages.Chain("base " + s_versions[index], "app")[1].Hex));
    }

    [TestCase("10.0.14393", null)]
    [TestCase(null, "10.0.14393.1")]
    public async Task Where_none_fits_the_error_says_what_there_is(string? osVersion, string? host)
    {
        await AddAllAsync();
        Assert.That(
            () => StoredImage.Find($"{_store.Root}::{Reference}", Wanted(osVersion, host)),
            Throws.TypeOf<ConversionException>().With.Message.Contains(Reference)
                .And.Message.Contains(s_versions[0]).And.Message.Contains(s_versions[1]).And.Message.Contains(s_versions[2]));
    }

    [Test]
    public async Task The_only_image_is_found_on_any_host_and_refused_where_another_is_asked_for()
    {
        await StoredImages.AddVersionAsync(_store, Reference, s_versions[2], "base", "app");
        var location = $"{_store.Root}::{Reference}";

        Assert.That(StoredImage.Find(location, Wanted(null, "10.0.17763.1")).ToString(), Does.Contain(StoredImages.Chain("base", "app")[1].Hex));
        Assert.That(() => StoredImage.Find(location, Wanted("10.0.17763", null)), Throws.TypeOf<ConversionException>().With.Message.Contains(s_versions[2]));
    }

    private static PlatformRequest Wanted(string? osVersion, string? host) =>
        new() { Platform = Platform.Parse("windows/amd64"), OsVersion = osVersion, HostVersion = host };

    private async Task AddAllAsync()
    {
        foreach (var version in s_versions)
        {
            await StoredImages.AddVersionAsync(_store, Reference, version, "base " + version, "app");
        }
    }
}
