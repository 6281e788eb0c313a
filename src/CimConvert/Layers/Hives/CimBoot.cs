using CimConvert.Formats.Regf;

namespace CimConvert.Layers.Hives;

/// <summary>
/// Lets a utility VM start from its layer's CIM, by changes to the two hives that say how it starts: what hcsshim did with
/// bcdedit.exe and offreg.dll (internal/wclayer/cim, bcd.go and registry.go as of commit 2feaacb46). Which bytes of the store
/// are established and which inferred, BootDevice says. Changing a hive twice is as good as once.
/// </summary>
internal static class CimBoot
{
    /// <summary>The volume that the CIM is mounted as.</summary>
    private static readonly Guid s_bootContainer = new("b890454c-80de-4e98-a7ab-56b74b4fbd0c");

    /// <summary>The share over which the host shows the VM the directory of its CIMs.</summary>
    private static readonly Guid s_vmbusShare = new("c63c9bdf-5fa5-4208-b03f-6b458b365592");
    private static readonly Guid s_cimFsOptions = new("763e9fea-502d-434f-aad9-5fabe9c91a7b");
    private static readonly Guid s_compositeOptions = new("e1787220-d17f-49e7-977a-d8fe4c8537e2");

    /// <summary>
    /// Makes the default entry of a boot configuration (<c>UtilityVM\Files\EFI\Microsoft\Boot\BCD</c>) start from a CIM, with a
    /// scratch partition over it, and start again when it fails.
    /// </summary>
    /// <param name="bcd">Stays as it is.</param>
    /// <param name="cimPath">The <c>.cim</c> file, from the directory that is shared with the VM: <c>cim-layers\1.cim</c>.</param>
    /// <param name="disk">Id of the scratch disk, which has a GPT.</param>
    /// <param name="partition">Id of its partition.</param>
    /// <exception cref="InvalidDataException">The hive is no boot configuration with a default entry.</exception>
    public static Hive ConfigureBoot(Hive bcd, string cimPath, Guid disk, Guid partition)
    {
        ArgumentNullException.ThrowIfNull(bcd);
        ArgumentException.ThrowIfNullOrEmpty(cimPath);
        var store = new BcdStore(bcd);
        var entry = store.DefaultObject();
        store.Set(entry, BcdElement.RestartOnFailure, value: true);

        store.CreateDeviceOptions(s_cimFsOptions, "CimFS Device Options");
        store.Set(s_cimFsOptions, BcdElement.CimFsParentDevice, BootDevice.Vmbus(s_vmbusShare));

        // In spite of its name it takes the file, not its directory.
        store.Set(s_cimFsOptions, BcdElement.CimFsRootDirectory, Hive.PathSeparator + cimPath);

        store.CreateDeviceOptions(s_compositeOptions, "Composite Device Options");
        store.Set(s_compositeOptions, BcdElement.PrimaryDevice, BootDevice.GptPartition(disk, partition));
        store.Set(s_compositeOptions, BcdElement.SecondaryDevice, BootDevice.CimFs(s_bootContainer, s_cimFsOptions));

        store.Set(entry, BcdElement.Device, BootDevice.Composite(s_compositeOptions));
        store.Set(entry, BcdElement.OsDevice, BootDevice.Composite(s_compositeOptions));

        // As they lie in the layer's CIM.
        store.Set(entry, BcdElement.Path, @"\UtilityVM\Files\Windows\System32\winload.efi");
        store.Set(entry, BcdElement.SystemRoot, @"\UtilityVM\Files\Windows");
        return store.Hive;
    }

    /// <summary>Makes a utility VM's SYSTEM hive ready for that: what the kernel needs before any other configuration reaches it.</summary>
    /// <param name="system">Stays as it is.</param>
    /// <exception cref="InvalidDataException">The hive is no SYSTEM hive.</exception>
    public static Hive PrepareSystem(Hive system)
    {
        ArgumentNullException.ThrowIfNull(system);
        const string controlSet = "ControlSet001";
        const uint startAtBoot = 0;
        const uint startNever = 4;
        if (system.Root.FindSubkey(controlSet) is null)
        {
            throw new InvalidDataException($"the hive has no key '{controlSet}': it is no SYSTEM hive");
        }

        (string Key, HiveValue Value)[] changes =
        [
            ($@"{controlSet}\Control", RegistryValues.Text("BootContainerGuid", s_bootContainer.ToString("B"))),
            ($@"{controlSet}\Services\UnionFS", RegistryValues.Number("Start", startAtBoot)),
            ($@"{controlSet}\Services\wcifs", RegistryValues.Number("Start", startNever)),

            // Once the CIM is merged with the scratch, its files lie at their usual paths again.
            ("Setup", RegistryValues.Text("BootPathOverride", @"\Windows\")),
        ];
        return changes.Aggregate(system, (hive, change) => HiveEdit.SetValue(hive, change.Key, change.Value));
    }
}
