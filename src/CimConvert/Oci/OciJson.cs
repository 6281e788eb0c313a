using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CimConvert.Oci;

/// <summary>Reads one of the image documents, within its limit, and says what is wrong with a bad one on one line.</summary>
internal static class OciJson
{
    /// <param name="bytes">The whole document.</param>
    /// <param name="type">What to read it as.</param>
    /// <param name="maxSize">The most bytes that are looked at.</param>
    /// <param name="what">The document's kind, which starts every message.</param>
    /// <exception cref="InvalidDataException">The document is too large, not JSON, or not of its type.</exception>
    public static T Parse<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type, int maxSize, string what)
        where T : class
    {
        if (bytes.Length > maxSize)
        {
            throw new InvalidDataException($"{what} has {bytes.Length} bytes, more than the {maxSize} allowed");
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw new InvalidDataException($"{what} is null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{what} cannot be read: at {Printable.Of(e.Path ?? "$")}: {Reason(e)}", e);
        }
    }

    /// <summary>The reader's own words without its type names and positions, which say nothing to a user.</summary>
    private static string Reason(JsonException e)
    {
        const string missing = "missing required properties including: ";
        var message = e.Message;
        var path = message.IndexOf(" Path: ", StringComparison.Ordinal);
        message = path < 0 ? message : message[..path];
        var lacking = message.IndexOf(missing, StringComparison.Ordinal);
        if (lacking >= 0)
        {
            return "lacks " + Printable.Of(message[(lacking + missing.Length)..].TrimEnd('.'));
        }

        return message.StartsWith("The JSON value could not be converted", StringComparison.Ordinal)
            ? "the value is of the wrong type or out of range"
            : Printable.Of(message);
    }
}
