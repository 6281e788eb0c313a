namespace CimConvert.Interop;

/// <summary>A failed call of a Windows function. The message has the function, the path, the error's meaning and its code.</summary>
internal sealed class NativeException : ConversionException
{
    /// <param name="call">The function's name, as its DLL exports it.</param>
    /// <param name="path">The path that it was called with.</param>
    /// <param name="code">Its result, as an HRESULT.</param>
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
