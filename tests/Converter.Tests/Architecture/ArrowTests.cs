using NUnit.Framework;

namespace Converter.Tests.Architecture;

/// <summary>The house: what each room may know of the others. A new arrow is a decision, and is made here.</summary>
public class ArrowTests
{
    private const string Formats = "Converter.Formats";
    private const string Core = "Converter.Core";
    private const string Cli = "cimconvert";

    /// <summary>Room by room of the library, in the order of the flow, the rooms below it that it uses.</summary>
    private static readonly Dictionary<string, string[]> s_core = new()
    {
        [Core] = [],
        [Core + ".Oci"] = [Core],
        [Core + ".Registry.Hosts"] = [Core, Core + ".Oci"],
        [Core + ".Registry"] = [Core, Core + ".Oci", Core + ".Registry.Hosts", Formats + ".Binary"],
        [Core + ".Compression"] = [Core, Core + ".Oci", Core + ".Native", Formats + ".Binary", Formats + ".Gzip"],
        [Core + ".Sources"] = [Core, Core + ".Oci", Core + ".Registry", Core + ".Compression", Formats + ".Binary", Formats + ".Tar"],
        [Core + ".Native"] = [Core],
        [Core + ".Imaging"] = [Core, Core + ".Native", Formats + ".Binary", Formats + ".BlockFile", Formats + ".Cim", Formats + ".Vhd"],
        [Core + ".Layers"] =
            [Core, Core + ".Imaging", Core + ".Native", Formats + ".Binary", Formats + ".Cim", Formats + ".Regf", Formats + ".Tar"],
        [Core + ".Boot"] = [Core, Formats + ".Regf"],
        [Core + ".Store"] = [Core, Core + ".Imaging", Core + ".Native", Core + ".Oci", Formats + ".Cim"],
        [Core + ".Publish"] = [Core, Core + ".Oci", Core + ".Registry", Core + ".Sources", Core + ".Imaging", Core + ".Store"],
        [Core + ".Prewarm"] =
            [Core, Core + ".Oci", Core + ".Registry", Core + ".Sources", Core + ".Imaging", Core + ".Layers", Core + ".Store", Core + ".Publish", Core + ".Pipeline"],
    };

    [Test]
    public void Rooms_of_Formats_see_only_Binary()
    {
        var wrong = Rooms.Uses(Formats).Where(u => u.From == Formats + ".Binary" || u.To != Formats + ".Binary").Select(u => u.Example);
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Formats_uses_no_package_and_neither_network_nor_clock()
    {
        Assert.That(Rooms.PackagesOf(Formats), Is.Empty);
        string[] banned = ["System.Net.", "System.Diagnostics.Stopwatch", "System.TimeProvider", "System.DateTime"];
        var wrong = Rooms.Outside(Formats).Where(u => Array.Exists(banned, b => u.Used.StartsWith(b, StringComparison.Ordinal)));
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Rooms_of_Core_see_only_what_lies_below_them()
    {
        var wrong = Rooms.Uses(Core)
            .Where(u => u.From != Core + ".Pipeline" && !s_core[u.From].Contains(u.To))
            .Select(u => u.Example);
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Nobody_in_the_library_sees_the_pipeline_but_who_runs_many() =>
        Assert.That(Rooms.Uses(Core).Where(u => u.To == Core + ".Pipeline" && u.From != Core + ".Prewarm").Select(u => u.Example), Is.Empty);

    [Test]
    public void Native_methods_live_in_one_room() =>
        Assert.That(
            Rooms.WithNativeMethods(Core).Concat(Rooms.WithNativeMethods(Formats)).Concat(Rooms.WithNativeMethods(Cli)),
            Is.EqualTo(new[] { Core + ".Native" }));

    [Test]
    public void Only_the_command_line_has_console_packages()
    {
        string[] console = ["Spectre.Console", "System.CommandLine"];
        Assert.That(Rooms.PackagesOf(Core).Intersect(console), Is.Empty);
        Assert.That(Rooms.Outside(Core).Where(u => u.Used == "System.Console"), Is.Empty);
    }

    [Test]
    public void The_test_kit_judges_without_the_product() =>
        Assert.That(
            Rooms.PackagesOf("Converter.TestKit").Where(n => n.StartsWith("Converter.", StringComparison.Ordinal) || n == Cli), Is.Empty);

    /// <summary>The table above is only worth something if the arrows in it are seen.</summary>
    [Test]
    public void The_arrows_that_are_there_are_found()
    {
        var uses = Rooms.Uses(Core).Select(u => (u.From, u.To)).ToArray();
        Assert.That(uses, Does.Contain((Core + ".Pipeline", Core + ".Layers")));
        Assert.That(uses, Does.Contain((Core + ".Imaging", Formats + ".BlockFile")));
        Assert.That(uses, Does.Contain((Core + ".Registry", Core + ".Oci")));
        Assert.That(Rooms.Uses(Formats).Select(u => (u.From, u.To)), Does.Contain((Formats + ".Cim", Formats + ".Binary")));
    }
}
