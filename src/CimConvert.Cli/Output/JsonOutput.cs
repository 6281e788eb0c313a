using System.Text.Encodings.Web;
using System.Text.Json;

namespace CimConvert.Cli.Output;

/// <summary>JSON on standard output: one indented document, or one object per line.</summary>
internal static class JsonOutput
{
    /// <summary>Escapes only what JSON requires, so that paths stay readable: the output is not embedded in HTML.</summary>
    public static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static void WriteDocument(Action<Utf8JsonWriter> write)
    {
        using var output = Console.OpenStandardOutput();
        WriteDocument(output, write);
    }

    /// <summary>Writes the same document to a stream, which stays open.</summary>
    public static void WriteDocument(Stream output, Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = Encoder }))
        {
            write(json);
        }

        output.WriteByte((byte)'\n');
    }

    public static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    public static void WriteLines<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        using var output = new BufferedStream(Console.OpenStandardOutput(), 64 * 1024);
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = Encoder });
        foreach (var item in items)
        {
            write(json, item);
            json.Flush();
            json.Reset();
            output.WriteByte((byte)'\n');
        }
    }
}
