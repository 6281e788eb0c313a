using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CimConvert.Oci;

/// <summary>Parses a JSON document of limited size; errors are one line.</summary>
internal static class OciJson
{
    /// <param name="bytes">The whole document.</param>
    /// <param name="type">Its type.</param>
    /// <param name="maxSize">The limit of its size in bytes.</param>
    /// <param name="what">What the document is, to start error messages with.</param>
    /// <exception cref="InvalidDataException">The document is too large, not JSON, or not of that type.</exception>
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

    /// <summary>The JSON reader's message without .NET type names and positions, which mean nothing to users.</summary>
    private static string Reason(JsonException e)
    {
        const string missing = "missing required properties including: ";
        var message = e.Message;
        var path = message.IndexOf(" Path: ", StringComparison.Ordinal);
        message = path < 0 ? message : message[..path];
        var names = message.IndexOf(missing, StringComparison.Ordinal);
        if (names >= 0)
        {
            return "lacks " + Printable.Of(message[(names + missing.Length)..].TrimEnd('.'));
        }

        return message.StartsWith("The JSON value could not be converted", StringComparison.Ordinal)
            ? "the value is of the wrong type or out of range"
            : Printable.Of(message);
    }
}
