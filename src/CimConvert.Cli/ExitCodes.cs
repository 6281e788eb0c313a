namespace CimConvert.Cli;

/// <summary>A contract with scripts (docs/cli.md).</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    /// <summary>A part failed, the rest is done.</summary>
    public const int PartFailed = 3;

    /// <summary>The disk is full, or the node is not fit.</summary>
    public const int MachineUnfit = 4;

    public const int Cancelled = 130;
}
