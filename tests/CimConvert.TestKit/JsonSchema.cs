using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CimConvert.TestKit;

/// <summary>
/// Judges a document by a JSON schema (draft 7): the keywords that our own schemas use, and an error for any other, so that none
/// is passed over in silence.
/// </summary>
public sealed class JsonSchema(JsonObject root)
{
    private static readonly string[] s_annotations = ["$schema", "title", "description", "definitions"];

    public static JsonSchema Read(string path) => new(JsonNode.Parse(File.ReadAllText(path))!.AsObject());

    /// <summary>What is wrong, each with its place; nothing where all is right.</summary>
    public IReadOnlyList<string> Problems(JsonNode? document) => [.. Check(root, document, "$")];

    private IEnumerable<string> Check(JsonObject schema, JsonNode? node, string at)
    {
        foreach ((string keyword, JsonNode? value) in schema)
        {
            foreach (string problem in Check(schema, keyword, value!, node, at))
            {
                yield return problem;
            }
        }
    }

    private IEnumerable<string> Check(JsonObject schema, string keyword, JsonNode value, JsonNode? node, string at) => keyword switch
    {
        _ when s_annotations.Contains(keyword) => [],
        "$ref" => Check(Resolve((string)value!), node, at),
        "type" => value is JsonArray types
            ? When(!types.Any(type => IsA(node, (string)type!)), $"{at}: must be of one of {types.ToJsonString()}")
            : When(!IsA(node, (string)value!), $"{at}: must be of type {value}"),
        "enum" => When(!value.AsArray().Any(allowed => JsonNode.DeepEquals(allowed, node)), $"{at}: must be one of {value.ToJsonString()}"),
        "minLength" => When(Text(node) is { } text && text.Length < (int)value, $"{at}: is too short"),
        "pattern" => When(Text(node) is { } text && !Regex.IsMatch(text, (string)value!, RegexOptions.None, TimeSpan.FromSeconds(1)), $"{at}: does not match {value}"),
        "minimum" => When(IsA(node, "integer") && (long)node! < (long)value, $"{at}: is less than {value}"),
        "maximum" => When(IsA(node, "integer") && (long)node! > (long)value, $"{at}: is more than {value}"),
        "minItems" => When(node is JsonArray array && array.Count < (int)value, $"{at}: has too few items"),
        "required" => value.AsArray().SelectMany(name => When(node is JsonObject o && !o.ContainsKey((string)name!), $"{at}: lacks {name}")),
        "properties" => value.AsObject().SelectMany(
            property => node is JsonObject o && o.TryGetPropertyValue(property.Key, out JsonNode? child) ? Check(property.Value!.AsObject(), child, $"{at}.{property.Key}") : []),
        "additionalProperties" => CheckOthers(schema, value, node, at),
        "items" => node is JsonArray array ? array.SelectMany((item, i) => Check(value.AsObject(), item, FormattableString.Invariant($"{at}[{i}]"))) : [],
        "oneOf" => When(
            value.AsArray().Count(option => !Check(option!.AsObject(), node, at).Any()) != 1,
            $"{at}: fits not exactly one of: {string.Join(" | ", value.AsArray().Select(option => string.Join(", ", Check(option!.AsObject(), node, at))))}"),
        _ => throw new NotSupportedException($"the schema uses '{keyword}', which is not read here"),
    };

    private IEnumerable<string> CheckOthers(JsonObject schema, JsonNode value, JsonNode? node, string at)
    {
        JsonObject known = schema["properties"]?.AsObject() ?? [];
        IEnumerable<KeyValuePair<string, JsonNode?>> others = node is JsonObject o ? o.Where(property => !known.ContainsKey(property.Key)) : [];
        return value is JsonObject any
            ? others.SelectMany(other => Check(any, other.Value, $"{at}.{other.Key}"))
            : others.SelectMany(other => When(!(bool)value, $"{at}: '{other.Key}' is not known"));
    }

    private JsonObject Resolve(string reference)
    {
        JsonNode node = root;
        foreach (string part in reference.Split('/').Skip(1))
        {
            node = node[part] ?? throw new NotSupportedException($"the schema has no {reference}");
        }

        return node.AsObject();
    }

    private static IEnumerable<string> When(bool isWrong, string problem) => isWrong ? [problem] : [];

    private static string? Text(JsonNode? node) => IsA(node, "string") ? (string?)node : null;

    private static bool IsA(JsonNode? node, string type) => type switch
    {
        "object" => node is JsonObject,
        "array" => node is JsonArray,
        "string" => node?.GetValueKind() == JsonValueKind.String,
        "boolean" => node?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        "integer" => node is JsonValue value && value.TryGetValue(out long _),
        _ => throw new NotSupportedException($"the schema uses the type '{type}', which is not read here"),
    };
}
