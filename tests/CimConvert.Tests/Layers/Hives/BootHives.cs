using CimConvert.TestKit.Hives;

namespace CimConvert.Tests.Layers.Hives;

/// <summary>Small hives of a utility VM that does not start from a CIM yet.</summary>
internal static class BootHives
{
    public const string Manager = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";
    public const string Loader = "{b2721d73-1db4-4c62-bf78-c548a880142d}";
    public const string Untouched = "{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}";
    public const string CimFs = "{763e9fea-502d-434f-aad9-5fabe9c91a7b}";
    public const string Composite = "{e1787220-d17f-49e7-977a-d8fe4c8537e2}";

    /// <summary>A store as a base layer's utility VM has it: a boot manager, an entry that starts from a partition, and settings.</summary>
    public static KeySpec BootStore(string defaultEntry = Loader) => new KeySpec("NewStoreRoot").With(
        new KeySpec("Description").With(ValueSpec.Text("KeyName", "BCD00000001")),
        new KeySpec("Objects").With(
            Object(Untouched, 0x20200003),
            Object(Manager, 0x10100002, Element("23000003", ValueSpec.Text("Element", defaultEntry))),
            Object(
                Loader,
                0x10200003,
                Element("11000001", new ValueSpec("Element", 3, new byte[88])),
                Element("12000002", ValueSpec.Text("Element", @"\Windows\System32\winload.efi")),
                Element("12000004", ValueSpec.Text("Element", "Windows")),
                Element("21000001", new ValueSpec("Element", 3, new byte[88])),
                Element("250000e0", new ValueSpec("Element", 3, [1, 0, 0, 0, 0, 0, 0, 0])))));

    public static KeySpec SystemHive() => new KeySpec("ROOT").With(
        new KeySpec("ControlSet001").With(
            new KeySpec("Control"),
            new KeySpec("Services").With(
                new KeySpec("Tcpip").With(new ValueSpec("Start", 4, [1, 0, 0, 0])),
                new KeySpec("wcifs").With(ValueSpec.Text("ImagePath", "wcifs.sys"), new ValueSpec("Start", 4, [2, 0, 0, 0])))));

    private static KeySpec Object(string id, uint type, params KeySpec[] elements) => new KeySpec(id).With(
        new KeySpec("Description").With(new ValueSpec("Type", 4, BitConverter.GetBytes(type))),
        new KeySpec("Elements").With(elements));

    private static KeySpec Element(string type, ValueSpec value) => new KeySpec(type).With(value);
}
