using System.Text;
using CimConvert.Storage;

namespace CimConvert.Cims;

/// <summary>The file beside a sealed block file that holds its root digest as 64 hex digits, under the names that hcsshim uses.</summary>
internal static class IntegrityFile
{
    public const string LayerName = "integrity_checksum";
    public const string MergedName = "merged_integrity_checksum";

    /// <summary>Reads a root digest; null if there is no file.</summary>
    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    public static byte[]? TryRead(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        const int hexLength = 64;
        using var reader = new StreamReader(path);
        var text = new char[hexLength + 1];
        var length = reader.ReadBlock(text);
        try
        {
            return length == hexLength ? Convert.FromHexString(text.AsSpan(0, hexLength)) : throw new FormatException();
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"'{path}' does not hold {hexLength} hex digits", e);
        }
    }

    /// <summary>Writes the file atomically.</summary>
    public static void Write(string path, ReadOnlySpan<byte> root) =>
        AtomicFile.Write(path, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(root)));
}
