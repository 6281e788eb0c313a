namespace CimConvert.Storage;

/// <summary>The user's limit for the disk, and not the disk itself, is what there is no room in.</summary>
internal sealed class DiskBudgetException(string message) : ConversionException(message);
