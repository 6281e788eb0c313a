namespace CimConvert.Cli;

/// <summary>What scripts rely on.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    /// <summary>Part of it failed, the rest is done.</summary>
    public const int PartFailed = 3;

    /// <summary>The machine is not fit: no space left on the disk.</summary>
    public const int MachineUnfit = 4;

    public const int Cancelled = 130;
}
