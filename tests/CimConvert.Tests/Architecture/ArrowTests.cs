using NUnit.Framework;

namespace CimConvert.Tests.Architecture;

/// <summary>The house: what each room may know of the others. A new arrow is a decision, and is made here.</summary>
public class ArrowTests
{
    private const string Formats = "CimConvert.Formats";
    private const string Library = "CimConvert";
    private const string Cli = "CimConvert.Cli";

    /// <summary>What the library's users begin with: it knows all rooms, and none knows it.</summary>
    private const string Doors = Rooms.Doors;

    /// <summary>Room by room of the library, the rooms that it uses: for all of a room, its parts included.</summary>
    private static readonly Dictionary<string, string[]> s_rooms = new(StringComparer.Ordinal)
    {
        [""] = [],
        ["Interop"] = [""],
        ["Storage"] = ["", "Interop", "Formats.Binary"],
        ["Plumbing"] = ["", "Formats.Binary"],
        ["Toml"] = [""],
        ["Oci"] = ["", "Formats.Binary"],
        ["Registry"] = ["", "Toml", "Oci", "Formats.Binary"],
        ["Compression"] = ["", "Interop", "Plumbing", "Oci", "Formats.Binary", "Formats.Gzip"],
        ["Sources"] = ["", "Oci", "Registry", "Compression", "Formats.Binary", "Formats.Tar"],
        ["Cims"] = ["", "Interop", "Storage", "Plumbing", "Formats.Binary", "Formats.BlockFile", "Formats.Cim", "Formats.Vhd", "Formats.Windows"],
        ["Layers"] = ["", "Interop", "Storage", "Cims", "Formats.Cim", "Formats.Regf", "Formats.Tar", "Formats.Windows"],
        ["Store"] = ["", "Storage", "Oci", "Cims", "Layers"],
        ["Containerd"] = ["", "Toml", "Oci", "Formats.Binary"],
        ["Fitness"] = ["", "Interop", "Oci", "Registry", "Sources", "Cims", "Containerd"],
        ["Publishing"] = ["", "Storage", "Plumbing", "Oci", "Registry", "Compression", "Sources", "Cims", "Layers", "Store"],
        ["Pipeline"] =
        [
            "", "Interop", "Storage", "Plumbing", "Oci", "Registry", "Compression", "Sources", "Cims", "Layers", "Store", "Publishing",
            "Containerd", "Formats.Binary",
        ],
        ["Prewarming"] = ["", "Storage", "Oci", "Registry", "Sources", "Cims", "Layers", "Store", "Publishing", "Containerd", "Pipeline"],
    };

    /// <summary>The parts of the Registry, from the bottom up: each uses only parts above it in this table. Its root has what all share.</summary>
    private static readonly Dictionary<string, string[]> s_registry = new(StringComparer.Ordinal)
    {
        [""] = [],
        ["Hosts"] = [""],
        ["Http"] = ["", "Hosts"],
        ["Auth"] = ["", "Hosts", "Http"],
        ["Pull"] = ["", "Hosts", "Http", "Auth"],
        ["Push"] = ["", "Hosts", "Http", "Pull"],
    };

    [Test]
    public void Rooms_of_Formats_see_only_Binary_and_Windows()
    {
        string[] shared = [Formats + ".Windows", Formats + ".Binary"];
        var wrong = Rooms.Uses(Formats)
            .Where(u => !shared.Contains(u.To) || Array.IndexOf(shared, u.From) > Array.IndexOf(shared, u.To) || u.From == shared[1])
            .Select(u => u.Example);
        Assert.That(wrong, Is.Empty);
    }

    /// <summary>One package, the runtime's own: checksums that are as fast as any, and that nobody has to maintain here.</summary>
    [Test]
    public void Formats_uses_one_package_and_neither_network_nor_clock()
    {
        Assert.That(Rooms.PackagesOf(Formats), Is.EqualTo(new[] { "System.IO.Hashing" }));
        string[] banned = ["System.Net.", "System.Diagnostics.Stopwatch", "System.TimeProvider", "System.DateTime"];
        var wrong = Rooms.Outside(Formats).Where(u => Array.Exists(banned, b => u.Used.StartsWith(b, StringComparison.Ordinal)));
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Rooms_of_the_library_see_only_what_lies_below_them()
    {
        var wrong = Rooms.Uses(Library)
            .Select(u => (From: RoomOf(u.From), To: RoomOf(u.To), u.Example))
            .Where(u => u.From != u.To && u.From != Doors && !s_rooms[u.From].Contains(u.To))
            .Select(u => u.Example);
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Nobody_in_the_library_uses_its_doors() =>
        Assert.That(Rooms.Uses(Library).Where(u => RoomOf(u.To) == Doors).Select(u => u.Example), Is.Empty);

    [Test]
    public void The_libraries_show_few_types() =>
        Assert.That(Rooms.PublicTypesOf(Library).Concat(Rooms.PublicTypesOf(Formats)).ToArray(), Has.Length.LessThanOrEqualTo(40));

    /// <summary>Threads and channels are made where their rules are: bounded, awaited, one failure for all.</summary>
    [Test]
    public void Only_Plumbing_makes_threads_and_channels()
    {
        string[] makers = ["System.Threading.Channels.Channel", "System.Threading.Tasks.TaskFactory", "System.Threading.ThreadPool"];
        var wrong = Rooms.Outside(Library).Concat(Rooms.Outside(Formats)).Where(u => makers.Contains(u.Used) && u.Room != Library + ".Plumbing");
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Every_arrow_of_the_table_is_there()
    {
        var uses = Rooms.Uses(Library).Select(u => (From: RoomOf(u.From), To: RoomOf(u.To))).ToHashSet();
        var unused = s_rooms.SelectMany(room => room.Value.Where(to => to.Length > 0).Select(to => (room.Key, to))).Where(arrow => !uses.Contains(arrow));
        Assert.That(unused, Is.Empty);
    }

    [Test]
    public void Parts_of_the_Registry_see_only_what_lies_below_them()
    {
        const string room = Library + ".Registry";
        var uses = Rooms.Uses(Library).Where(u => IsIn(u.From) && IsIn(u.To)).Select(u => (From: PartOf(u.From), To: PartOf(u.To), u.Example)).ToArray();
        Assert.That(uses.Where(u => !s_registry[u.From].Contains(u.To)).Select(u => u.Example), Is.Empty);
        var arrows = s_registry.SelectMany(part => part.Value.Select(to => (part.Key, to)));
        Assert.That(uses.Select(u => (u.From, u.To)), Is.EquivalentTo(arrows), "every arrow of the table is there");

        static bool IsIn(string space) => space == room || space.StartsWith(room + ".", StringComparison.Ordinal);
        static string PartOf(string space) => space.Length == room.Length ? string.Empty : space[(room.Length + 1)..];
    }

    [Test]
    public void Native_methods_live_in_one_room() =>
        Assert.That(
            Rooms.WithNativeMethods(Library).Concat(Rooms.WithNativeMethods(Formats)).Concat(Rooms.WithNativeMethods(Cli)),
            Is.EqualTo(new[] { Library + ".Interop" }));

    [Test]
    public void Only_the_command_line_has_console_packages()
    {
        string[] console = ["Spectre.Console", "System.CommandLine"];
        Assert.That(Rooms.PackagesOf(Library).Intersect(console), Is.Empty);
        Assert.That(Rooms.Outside(Library).Where(u => u.Used == "System.Console"), Is.Empty);
    }

    [Test]
    public void The_test_kit_judges_without_the_product() =>
        Assert.That(
            Rooms.PackagesOf("CimConvert.TestKit").Where(n => n == Library || n.StartsWith(Library + ".", StringComparison.Ordinal)), Is.Empty);

    /// <summary>The table above is only worth something if the arrows in it are seen.</summary>
    [Test]
    public void The_arrows_that_are_there_are_found()
    {
        var uses = Rooms.Uses(Library).Select(u => (u.From, u.To)).ToArray();
        Assert.That(uses, Does.Contain((Library + ".Pipeline", Library + ".Layers")));
        Assert.That(uses, Does.Contain((Library + ".Cims", Formats + ".BlockFile")));
        Assert.That(uses, Does.Contain((Library + ".Registry.Pull", Library + ".Oci")));
        Assert.That(Rooms.Uses(Formats).Select(u => (u.From, u.To)), Does.Contain((Formats + ".Cim", Formats + ".Binary")));
    }

    /// <summary>Without the library's name; the parts of a room are the room. Those of Formats are rooms each.</summary>
    private static string RoomOf(string space) => space == Doors ? Doors : string.Join('.', space.Split('.').Skip(1).Take(space.StartsWith(Formats, StringComparison.Ordinal) ? 2 : 1));
}
