using System.Globalization;
using CimConvert.Formats.Regf;

namespace CimConvert.Layers.Hives;

/// <summary>
/// A boot configuration store that is being edited. <c>Objects\{id}\Description</c> says what an object is, and
/// <c>Objects\{id}\Elements\TYPE</c> has each of its elements in the value <c>Element</c>. Strings and IDs are REG_SZ; everything else
/// written here is REG_BINARY (ReactOS, boot/environ/lib/misc/bcd.c; DiscUtils, BootConfig, DiscUtilsRegistryStorage).
/// </summary>
internal sealed class BcdStore(Hive hive)
{
    private const string ElementName = "Element";
    private const uint DeviceObject = 0x3000_0000;

    /// <summary>The well-known ID of the boot manager (learn.microsoft.com, "BCD Reference", Windows Boot Manager).</summary>
    private static readonly Guid s_bootManager = new("9dea862c-5cdd-4e70-acc1-f32b344d4795");

    public Hive Hive { get; private set; } = hive;

    /// <summary>The object that bcdedit calls <c>{default}</c>.</summary>
    /// <exception cref="InvalidDataException">The store has no default entry.</exception>
    public Guid DefaultObject()
    {
        var element = Hive.Find(PathOf(s_bootManager, BcdElement.DefaultObject), out _)?.FindValue(ElementName);
        if (!Guid.TryParseExact(RegistryValues.TryReadText(element), "B", out var id))
        {
            throw new InvalidDataException("the boot configuration has no default entry: its boot manager does not name one");
        }

        return Hive.Find(PathOf(id), out _) is not null
            ? id
            : throw new InvalidDataException($"the boot configuration's default entry {id:B} is not in it");
    }

    /// <summary>As bcdedit's <c>/create {id} /d TEXT /device</c>, except that an existing object is kept and overwritten.</summary>
    public void CreateDeviceOptions(Guid id, string description)
    {
        Hive = HiveEdit.SetValue(Hive, $@"{PathOf(id)}\Description", RegistryValues.Number("Type", DeviceObject));
        Set(id, BcdElement.Description, description);
    }

    public void Set(Guid id, BcdElement element, string text) => Put(id, element, RegistryValues.Text(ElementName, text));

    public void Set(Guid id, BcdElement element, byte[] device) => Put(id, element, RegistryValues.Bytes(ElementName, device));

    public void Set(Guid id, BcdElement element, bool value) => Put(id, element, RegistryValues.Bytes(ElementName, [value ? (byte)1 : (byte)0]));

    private void Put(Guid id, BcdElement element, HiveValue value) => Hive = HiveEdit.SetValue(Hive, PathOf(id, element), value);

    private static string PathOf(Guid id) => $@"Objects\{id:B}";

    private static string PathOf(Guid id, BcdElement element) =>
        $@"{PathOf(id)}\Elements\{((uint)element).ToString("x8", CultureInfo.InvariantCulture)}";
}

/// <summary>
/// Types of BCD elements; their hexadecimal digits are the names of the elements' keys: class, format, and a number. Sources: phnt,
/// ntbcd.h, and learn.microsoft.com, "BCD Reference"; for composite and CimFS devices the fork mcleishk/DiscUtils-CompositeCimFs
/// (WellKnownElement).
/// </summary>
internal enum BcdElement : uint
{
    Device = 0x11000001,
    Path = 0x12000002,
    Description = 0x12000004,
    RestartOnFailure = 0x16000053,
    OsDevice = 0x21000001,
    SystemRoot = 0x22000002,

    /// <summary>The boot manager's default entry, <c>{default}</c>.</summary>
    DefaultObject = 0x23000003,
    PrimaryDevice = 0x3100000E,
    SecondaryDevice = 0x3100000F,
    CimFsRootDirectory = 0x32000011,
    CimFsParentDevice = 0x31000012,
}
