namespace CimConvert.Oci;

/// <summary>No entry of an index fits what was asked for; the message lists every one and why it was passed over.</summary>
internal sealed class PlatformNotFoundException(string message) : ConversionException(message);
