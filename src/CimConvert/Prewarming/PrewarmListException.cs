namespace CimConvert.Prewarming;

/// <summary>A list file is not what it should be; the message starts with its path, line and column.</summary>
internal sealed class PrewarmListException(string message, Exception? cause = null) : ConversionException(message, cause);
