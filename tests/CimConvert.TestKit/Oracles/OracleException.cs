namespace CimConvert.TestKit.Oracles;

/// <summary>The input is one the rules call an error, or one they do not decide.</summary>
public sealed class OracleException : Exception
{
    public OracleException(string message)
        : base(message)
    {
    }
}
