using CimConvert.Formats.Regf;

namespace CimConvert.Layers.Hives;

/// <summary>
/// Makes a utility VM boot from its layer's CIM, by changes to the two hives that configure how it boots. hcsshim did this with bcdedit.exe
/// and offreg.dll (internal/wclayer/cim, bcd.go and registry.go as of commit 2feaacb46). <see cref="BootDevice"/> says which bytes of the
/// store are established and which are inferred. The changes are idempotent.
/// </summary>
internal static class CimBoot
{
    /// <summary>The volume that the CIM is mounted as.</summary>
    private static readonly Guid s_bootContainer = new("b890454c-80de-4e98-a7ab-56b74b4fbd0c");

    /// <summary>The vmbus share by which the host shows the VM the directory of its CIMs.</summary>
    private static readonly Guid s_vmbusShare = new("c63c9bdf-5fa5-4208-b03f-6b458b365592");
    private static readonly Guid s_cimFsOptions = new("763e9fea-502d-434f-aad9-5fabe9c91a7b");
    private static readonly Guid s_compositeOptions = new("e1787220-d17f-49e7-977a-d8fe4c8537e2");

    /// <summary>
    /// Makes the default entry of a boot configuration (<c>UtilityVM\Files\EFI\Microsoft\Boot\BCD</c>) boot from a CIM, with a scratch
    /// partition layered over it, and restart when the boot fails.
    /// </summary>
    /// <param name="bcd">The boot configuration; not changed.</param>
    /// <param name="cimPath">The <c>.cim</c> file, relative to the directory that is shared with the VM: <c>cim-layers\1.cim</c>.</param>
    /// <param name="disk">The GUID of the scratch disk, which has a GPT.</param>
    /// <param name="partition">The GUID of its partition.</param>
    /// <exception cref="InvalidDataException">The hive is not a boot configuration with a default entry.</exception>
    public static Hive ConfigureBoot(Hive bcd, string cimPath, Guid disk, Guid partition)
    {
        ArgumentNullException.ThrowIfNull(bcd);
        ArgumentException.ThrowIfNullOrEmpty(cimPath);
        var store = new BcdStore(bcd);
        var entry = store.DefaultObject();
        store.Set(entry, BcdElement.RestartOnFailure, value: true);

        store.CreateDeviceOptions(s_cimFsOptions, "CimFS Device Options");
        store.Set(s_cimFsOptions, BcdElement.CimFsParentDevice, BootDevice.Vmbus(s_vmbusShare));

        // Despite its name, the element holds the file, not its directory.
        store.Set(s_cimFsOptions, BcdElement.CimFsRootDirectory, Hive.PathSeparator + cimPath);

        store.CreateDeviceOptions(s_compositeOptions, "Composite Device Options");
        store.Set(s_compositeOptions, BcdElement.PrimaryDevice, BootDevice.GptPartition(disk, partition));
        store.Set(s_compositeOptions, BcdElement.SecondaryDevice, BootDevice.CimFs(s_bootContainer, s_cimFsOptions));

        store.Set(entry, BcdElement.Device, BootDevice.Composite(s_compositeOptions));
        store.Set(entry, BcdElement.OsDevice, BootDevice.Composite(s_compositeOptions));

        // The paths in the layer's CIM.
        store.Set(entry, BcdElement.Path, @"\UtilityVM\Files\Windows\System32\winload.efi");
        store.Set(entry, BcdElement.SystemRoot, @"\UtilityVM\Files\Windows");
        return store.Hive;
    }

    /// <summary>
    /// Prepares a utility VM's SYSTEM hive for booting from a CIM: the settings that the kernel needs before it can read any other
    /// configuration.
    /// </summary>
    /// <param name="system">The SYSTEM hive; not changed.</param>
    /// <exception cref="InvalidDataException">The hive is not a SYSTEM hive.</exception>
    public static Hive PrepareSystem(Hive system)
    {
        ArgumentNullException.ThrowIfNull(system);
        const string controlSet = "ControlSet001";
        const uint startAtBoot = 0;
        const uint startNever = 4;
        if (system.Root.FindSubkey(controlSet) is null)
        {
            throw new InvalidDataException($"the hive has no key '{controlSet}': it is not a SYSTEM hive");
        }

        (string Key, HiveValue Value)[] changes =
        [
            ($@"{controlSet}\Control", RegistryValues.Text("BootContainerGuid", s_bootContainer.ToString("B"))),
            ($@"{controlSet}\Services\UnionFS", RegistryValues.Number("Start", startAtBoot)),
            ($@"{controlSet}\Services\wcifs", RegistryValues.Number("Start", startNever)),

            // Once the scratch is layered over the CIM, the files have their usual paths again.
            ("Setup", RegistryValues.Text("BootPathOverride", @"\Windows\")),
        ];
        return changes.Aggregate(system, (hive, change) => HiveEdit.SetValue(hive, change.Key, change.Value));
    }
}
