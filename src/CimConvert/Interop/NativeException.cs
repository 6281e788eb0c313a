namespace CimConvert.Interop;

/// <summary>A call of the operating system that failed: which one, on what, and what its code means.</summary>
internal sealed class NativeException : ConversionException
{
    /// <param name="call">The function's name, as its DLL exports it.</param>
    /// <param name="path">What it was called on.</param>
    /// <param name="code">What it returned, as an HRESULT.</param>
    internal NativeException(string call, string path, int code)
        : base($"{call} failed on '{path}': {NativeErrors.Meaning(code)} (0x{code:X8})")
    {
        Call = call;
        Path = path;
        HResult = code;
    }

    public string Call { get; }

    public string Path { get; }
}
