namespace CimConvert;

/// <summary>
/// A failure caused by the input, the machine or the user, not by a defect of this program. The message is one line: what failed,
/// where, and what to do about it if that is known.
/// </summary>
public class ConversionException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>Tells expected failures from defects, and adds to a failure's message what it is about.</summary>
internal static class Failures
{
    // ENOSPC and EDQUOT, which .NET on Unix puts into HResult unchanged.
    private const int UnixNoSpace = 28;
    private const int UnixQuota = 122;

    // HRESULTs of ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether the input, the network, the machine or the user caused an exception; every other is a defect of this program.</summary>
    public static bool IsExpected(Exception e) =>
        e is ConversionException or InvalidDataException or IOException or UnauthorizedAccessException;

    /// <summary>Whether the disk is full, or the user's quota on it.</summary>
    public static bool IsDiskFull(Exception? e) => e switch
    {
        null => false,
        IOException { HResult: UnixNoSpace or UnixQuota } => true,
        IOException or ConversionException when e.HResult is WindowsDiskFull or WindowsHandleDiskFull => true,
        _ => IsDiskFull(e.InnerException),
    };

    /// <summary>Prefixes the failure's message with what it is about: <c>layer 2 of 4 (sha256:…): …</c>.</summary>
    public static ConversionException Of(string what, Exception failure) => new($"{what}: {failure.Message}", failure);
}
