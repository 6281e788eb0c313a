namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>The file set is no well-formed CIM: the first thing found wrong.</summary>
public sealed class CimWalkException : Exception
{
    public CimWalkException(string message)
        : base(message)
    {
    }
}
