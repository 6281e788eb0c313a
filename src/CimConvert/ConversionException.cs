namespace CimConvert;

/// <summary>
/// A failure that is the input's, the machine's or the user's and not ours. The message is one line: what failed, where,
/// and what to do where that is known. Rooms derive their own from it where others must tell them apart.
/// </summary>
public class ConversionException(string message, Exception? cause = null) : Exception(message, cause);
