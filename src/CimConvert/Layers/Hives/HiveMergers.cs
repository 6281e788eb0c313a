using CimConvert.Cims;

namespace CimConvert.Layers.Hives;

/// <summary>Which hive merger goes with which back end.</summary>
internal static class HiveMergers
{
    /// <summary>
    /// Windows' own for CIMs of Windows' own writer, where the machine has it. With the managed back end always ours: the same
    /// layers give the same bytes on every system.
    /// </summary>
    public static IHiveMerger For(ICimBackend backend) =>
        backend.Name == CimBackends.Native && OffRegHiveMerger.IsHere ? new OffRegHiveMerger() : new ManagedHiveMerger();
}
