namespace CimConvert;

/// <summary>Which exceptions are failures to report, and how they get the names of what they happened to.</summary>
internal static class Failures
{
    private const int UnixNoSpace = 28;
    private const int UnixQuota = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether an exception is the input's, the network's, the machine's or the user's fault. Others are defects of ours.</summary>
    public static bool IsExpected(Exception e) =>
        e is ConversionException or InvalidDataException or IOException or UnauthorizedAccessException;

    /// <summary>Whether the disk, or the user's share of it, is full.</summary>
    public static bool IsDiskFull(Exception? e) => e switch
    {
        null => false,
        IOException { HResult: UnixNoSpace or UnixQuota } => true,
        IOException or ConversionException when e.HResult is WindowsDiskFull or WindowsHandleDiskFull => true,
        _ => IsDiskFull(e.InnerException),
    };

    /// <summary>The same failure, said of something: <c>layer 2 of 4 (sha256:…): …</c>.</summary>
    public static ConversionException Of(string what, Exception failure) => new($"{what}: {failure.Message}", failure);
}
