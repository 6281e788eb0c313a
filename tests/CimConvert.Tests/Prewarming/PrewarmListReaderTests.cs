using CimConvert.Containerd;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Prewarming;
using NUnit.Framework;

namespace CimConvert.Tests.Prewarming;

public class PrewarmListReaderTests
{
    private const string Small = "store: s\nimages: [a]\n";

    [Test]
    public void Everything_a_list_can_say_is_read()
    {
        var list = Parse("""
            store: D:\store
            registries:
              hostsDir: hosts
              certDir: certs
              plainHttp: true
              stallTimeout: 2m
            defaults:
              platform: windows/arm64
              osVersion: "10.0"
              integrity: true
              vhdFooter: true
              backend: managed
              push: mirror.example/{registry}/{repository}:{tag}
              subject: true
            images:
              - host.example:5000/win/app:v1
              - image: win/base
                platform: windows/amd64
                osVersion: 10.0.20348
                push: other.example/base:v2
                subject: false
            concurrency:
              images: 3
              downloads: 8
              imports: 2
            retryBudget: 0
            disk:
              minFree: 20GiB
              maxStore: 500MB
            limits:
              layerSize: 64GiB
              expansion: 20
              entries: 3000
            bandwidth: 10MiB/s
            window: 22:00-05:30
            keepGoing: false
            skipPushed: true
            """);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(list.Store, Is.EqualTo(@"D:\store"));
            Assert.That(
                list.Registries,
                Is.EqualTo(new PrewarmRegistries { HostsDir = "hosts", CertDir = "certs", PlainHttp = true, StallTimeout = TimeSpan.FromMinutes(2) }));
            Assert.That(list.Concurrency, Is.EqualTo(new PrewarmConcurrency { Images = 3, Downloads = 8, Imports = 2 }));
            Assert.That(list.Disk, Is.EqualTo(new PrewarmDisk { MinFree = 20L << 30, MaxStore = 500_000_000 }));
            Assert.That(list.Limits, Is.EqualTo(new InputLimits { MaxLayerSize = 64L << 30, MaxExpansion = 20, MaxEntries = 3000 }));
            Assert.That(list.RetryBudget, Is.Zero);
            Assert.That(list.Bandwidth, Is.EqualTo(10 << 20));
            Assert.That(list.Window, Is.EqualTo(new DailyWindow(new TimeOnly(22, 0), new TimeOnly(5, 30))));
            Assert.That(list.KeepGoing, Is.False);
            Assert.That(list.SkipPushed, Is.True);
            Assert.That(list.Images.Select(image => image.Location.ToString()), Is.EqualTo(new[] { "host.example:5000/win/app:v1", "docker.io/win/base:latest" }));
            Assert.That(list.Images.Select(image => image.Platform.ToString()), Is.EqualTo(new[] { "windows/arm64", "windows/amd64" }));
            Assert.That(list.Images.Select(image => image.OsVersion), Is.EqualTo(new[] { "10.0", "10.0.20348" }));
            Assert.That(list.Images.Select(image => image.Integrity && image.VhdFooter && image.Backend == "managed"), Is.All.True);
            Assert.That(
                list.Images.Select(image => image.Push!.ToString()),
                Is.EqualTo(new[] { "mirror.example/host.example-5000/win/app:v1", "other.example/base:v2" }));
            Assert.That(list.Images.Select(image => image.Subject), Is.EqualTo(new[] { true, false }));
        }
    }

    [Test]
    public void What_a_list_does_not_say_has_safe_defaults()
    {
        var list = Parse(Small);
        Assert.That(list.Concurrency, Is.EqualTo(new PrewarmConcurrency { Images = 2, Downloads = 4, Imports = 1 }));
        Assert.That(list.KeepGoing, Is.True);
        Assert.That(list.Images.Single().Platform, Is.EqualTo(Platform.Parse("windows/amd64")));
        Assert.That(list.Images.Single().Push, Is.Null);
    }

    [Test]
    public void The_command_line_s_store_goes_before_the_list_s()
    {
        Assert.That(PrewarmListReader.Parse("f", Small, "other").Store, Is.EqualTo("other"));
        Assert.That(PrewarmListReader.Parse("f", "images: [a]\n", "other").Store, Is.EqualTo("other"));
    }

    [Test]
    public void A_list_goes_into_containerd_where_it_or_the_command_line_says_so()
    {
        const string into = "images: [a]\ninto: {containerd: {address: 'unix:///run/c.sock', namespace: n, snapshotter: blockcim, state: s, pin: false, layerBlobs: true}}\n";
        var list = PrewarmListReader.Parse("f", into);
        Assert.That(list.Store, Is.Null);
        Assert.That(list.Into, Is.EqualTo(new IntoContainerd
        {
            Address = new ContainerdAddress(IsPipe: false, "/run/c.sock"),
            Namespace = "n",
            Snapshotter = "blockcim",
            State = "s",
            Pin = false,
            LayerBlobs = true,
        }));
        Assert.That(PrewarmListReader.Parse("f", "images: [a]\ninto: {containerd: {}}\n").Into, Is.EqualTo(new IntoContainerd()));
        Assert.That(PrewarmListReader.Parse("f", into, "store") is { Store: "store", Into: null }, Is.True);
        Assert.That(PrewarmListReader.Parse("f", into + "defaults: {only: converted, from: 'x/{repository}:{tag}'}\n").Images[0].Converted, Is.EqualTo(ConvertedPreference.Only));
        Assert.That(PrewarmListReader.Parse("f", Small, isInto: true) is { Store: null, Into: null }, Is.True);
    }

    [TestCase("into: {containerd: {}}\nstore: s\nimages: [a]\n", "1:7: into and 'store' name two places: leave one out")]
    [TestCase("into: {}\nimages: [a]\n", "1:7: into names no place: it has the key 'containerd'")]
    [TestCase("into: {containerd: {snapshotter: native}}\nimages: [a]\n", "there is no snapshotter 'native': auto, cimfs or blockcim")]
    [TestCase("into: {containerd: {address: x}}\nimages: [a]\n", "f:1:")]
    [TestCase("into: {containerd: {}}\nimages: [a]\ndisk: {maxStore: 1GiB}\n", "disk.maxStore is for a store")]
    [TestCase("into: {containerd: {}}\nimages: [a]\nskipPushed: true\n", "skipPushed is for a store")]
    [TestCase("into: {containerd: {}}\nimages: [a]\ndefaults: {integrity: true}\n", "docker.io/library/a:latest has integrity, vhdFooter, push or subject, which are for a store")]
    [TestCase("into: {containerd: {}}\nimages: [a]\ndefaults: {push: 'x/y:z'}\n", "which are for a store")]
    public void Lists_that_name_no_place_or_two_are_refused(string text, string message) =>
        Assert.That(() => PrewarmListReader.Parse("f", text), Throws.TypeOf<PrewarmListException>().With.Message.Contains(message));

    [Test]
    public void Versions_are_one_several_all_or_the_hosts()
    {
        var list = PrewarmListReader.Parse(
            "f",
            """
            store: s
            defaults: {osVersion: 10.0.17763}
            images:
              - a
              - {image: b, osVersions: [10.0.20348, host]}
              - {image: c, osVersions: all}
              - {image: d, osVersion: host}
              - {image: e, osVersions: host}
            """,
            hostVersion: "10.0.26100.7");

        Assert.That(list.HostVersion, Is.EqualTo("10.0.26100.7"));
        Assert.That(
            list.Images.Select(image => (image.Location.ToString(), image.OsVersion, string.Join(' ', image.Versions), image.AllVersions)),
            Is.EqualTo(new[]
            {
                ("docker.io/library/a:latest", "10.0.17763", string.Empty, false),
                ("docker.io/library/b:latest", (string?)null, "10.0.20348 10.0.26100.7", false),
                ("docker.io/library/c:latest", (string?)null, string.Empty, true),
                ("docker.io/library/d:latest", "10.0.26100.7", string.Empty, false),
                ("docker.io/library/e:latest", "10.0.26100.7", string.Empty, false),
            }));
    }

    [TestCase("images: [a]\ndefaults: {osVersions: all}\n", "docker.io/library/a:latest has several osVersions, which are for a store")]
    [TestCase("images: [{image: a, osVersions: [10.0.17763, 10.0.20348]}]\n", "docker.io/library/a:latest has several osVersions, which are for a store")]
    public void Several_versions_are_for_a_store(string images, string message) => Assert.That(
        () => PrewarmListReader.Parse("f", images, isInto: true), Throws.TypeOf<PrewarmListException>().With.Message.Contains(message));

    [TestCase("", "1:1: the list is empty")]
    [TestCase("a\n", "1:1: a list of images must be 'key: value' lines")]
    [TestCase("- a\n", "1:1: a list of images must be 'key: value' lines")]
    [TestCase("images: [a]\n", "1:1: 'store' is missing")]
    [TestCase("store: s\n", "1:1: 'images' is missing")]
    [TestCase("store: s\nimages: []\n", "2:9: images has no entry")]
    [TestCase("store: s\nimages: a\n", "2:9: images must be a list")]
    [TestCase("store: s\nimages:\n  - Bad/Name\n", "3:5: 'Bad/Name' is not an image reference: ")]
    [TestCase("store: s\nimages: [a, b, 'a:latest']\n", "2:16: docker.io/library/a:latest is in the list already")]
    [TestCase("store: s\nimages:\n  - image: a\n    osversion: 1\n", "4:5: unknown key 'osversion'; known here: backend, from, image, integrity, only, osVersion, osVersions, platform, prefer, push, subject, vhdFooter")]
    [TestCase("store: s\nimages:\n  - osVersion: 1\n", "3:5: 'image' is missing")]
    [TestCase("store: s\nimages: [a]\nconcurency: 1\n", "3:1: unknown key 'concurency'; known here: bandwidth, concurrency, ")]
    [TestCase("store: s\nimages: [a]\nconcurrency:\n  imports: 0\n", "4:12: imports must be a number from 1 to 64, not '0'")]
    [TestCase("store: s\nimages: [a]\nconcurrency:\n  imports: 65\n", "4:12: imports must be a number from 1 to 64, not '65'")]
    [TestCase("store: s\nimages: [a]\nconcurrency: 4\n", "3:14: the value of 'concurrency' must be 'key: value' lines")]
    [TestCase("store: s\nimages: [a]\nkeepGoing: yes\n", "3:12: keepGoing must be true or false, not 'yes'")]
    [TestCase("store: s\nimages: [a]\nkeepGoing:\n", "3:11: keepGoing must be a single value, and not empty")]
    [TestCase("store: s\nimages: [a]\nlimits: {layerSize: 0}\n", "3:21: layerSize: the largest layer size must be at least 1 byte, not 0")]
    [TestCase("store: s\nimages: [a]\nlimits: {entries: 0}\n", "3:19: entries must be a number from 1")]
    [TestCase("store: s\nimages: [a]\ndisk: {minFree: lots}\n", "3:17: minFree: 'lots' is no size")]
    [TestCase("store: s\nimages: [a]\nbandwidth: 0\n", "3:12: bandwidth: nothing would ever be downloaded")]
    [TestCase("store: s\nimages: [a]\nwindow: 22:00\n", "3:9: window: '22:00' is no time of day")]
    [TestCase("store: s\nimages: [a]\ndefaults: {push: 'r/{repository}@sha256:0000000000000000000000000000000000000000000000000000000000000000'}\n", "3:18: push: 'r/library/a@sha256")]
    [TestCase("store: s\nimages: ['oci:dir']\ndefaults: {push: 'r/{repository}'}\n", "3:18: push: 'r/{repository}' cannot be filled in for oci:dir")]
    [TestCase("store: s\nimages: [a]\ndefaults: {backend: wine}\n", "3:21: backend: there is no back end 'wine'")]
    [TestCase("store: s\nimages: [a]\ndefaults: {platform: windows}\n", "3:22: platform: platform 'windows' is not of the form")]
    [TestCase("store: s\nimages:\n  - a\n  - {image: b, integrity: true}\n", "4:5: docker.io/library/b:latest differs from the images before it in integrity")]
    [TestCase("store: s\nimages:\n  - {image: a, osVersion: 10.0.20348, osVersions: all}\n", "3:51: osVersions and 'osVersion' exclude each other: leave one out")]
    [TestCase("store: s\nimages: [a]\ndefaults: {osVersion: host}\n", "3:23: osVersion: this machine does not run Windows")]
    [TestCase("store: s\nimages: [a]\ndefaults: {osVersions: host}\n", "3:24: osVersions cannot be read: this machine does not run Windows")]
    [TestCase("store: s\nimages: [a]\ndefaults: {osVersions: []}\n", "3:24: osVersions cannot be read: the list is empty")]
    [TestCase("store: s\nimages: [a]\ndefaults: {osVersions: newest}\n", "3:24: osVersions cannot be read: 'newest' is neither 'all' or 'host' nor a version")]
    [TestCase("store: s\nimages: [a]\ndefaults: {osVersions: [10.0.20348, 10.0.20348.5]}\n", "3:24: osVersions cannot be read: 10.0.20348.5 is of the same build")]
    [TestCase("store: s\nstore: t\nimages: [a]\n", "2:1: Duplicate key store")]
    [TestCase("store: s\nimages: [a\n", "3:1: ")]
    [TestCase("store: s\nimages: [a]\n---\nstore: s\n", "1:1: there is more than one document")]
    [TestCase("store: &x s\nimages: [*x]\n", "2:10: aliases are not supported")]
    [TestCase("store: s\nimages: [a]\n? [x]\n: 1\n", "3:3: a key must be a word")]
    public void Errors_say_where_and_what(string yaml, string error) => Assert.That(
        () => Parse(yaml), Throws.TypeOf<PrewarmListException>().With.Message.StartsWith("list.yaml:" + error).And.Message.Not.Contains("\n"));

    [Test]
    public void Deep_nesting_ends_before_the_stack_does() => Assert.That(
        () => Parse(new string('[', 100_000)), Throws.TypeOf<PrewarmListException>().With.Message.Contains("nested more than 16 deep"));

    /// <summary>Whatever a damaged file holds: a list, or an error of ours with a place, and an end.</summary>
    [Test]
    public void Damaged_lists_end_in_an_error_of_ours()
    {
        const string whole = "store: s # x\nimages:\n  - a\n  - image: \"b\"\n    push: 'r/{tag}'\nwindow: 22:00-05:30\ndisk: {minFree: 1, maxStore: 2}\n";
        const string damage = "\0\t\n -:[]{}'\"#&*!|>%@`\\\u00ff9z";
        var random = new Random(6);
        for (var round = 0; round < 2000; round++)
        {
            var text = whole.ToCharArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                text[random.Next(text.Length)] = damage[random.Next(damage.Length)];
            }

            try
            {
                Assert.That(Parse(new string(text.AsSpan(0, random.Next(text.Length + 1)))).Images, Is.Not.Empty);
            }
            catch (PrewarmListException e)
            {
                Assert.That(e.Message, Does.Match(@"\Alist\.yaml:\d+:\d+: .+\z"));
            }
        }
    }

    private static PrewarmList Parse(string yaml) => PrewarmListReader.Parse("list.yaml", yaml);
}
