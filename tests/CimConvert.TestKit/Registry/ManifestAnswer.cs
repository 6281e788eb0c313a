using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CimConvert.Cli.Demo;
using Microsoft.AspNetCore.Http;

namespace CimConvert.TestKit.Registry;

/// <summary>Takes manifests, and lists what refers to one (distribution spec, "Pushing Manifests", "Listing Referrers").</summary>
internal sealed class ManifestAnswer(HttpContext context, string repository, RegistryContent content)
{
    private const string IndexType = "application/vnd.oci.image.index.v1+json";

    public async Task PutAsync(string name, bool keepsReferrers, bool heedsIfMatch, string? announced)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var bytes = body.ToArray();
        using var manifest = JsonDocument.Parse(bytes);
        if (Missing(manifest.RootElement) is { } missing)
        {
            await FaultyAnswer.ErrorAsync(context, StatusCodes.Status400BadRequest, "MANIFEST_BLOB_UNKNOWN", $"{missing} is not in the repository");
            return;
        }

        var expected = heedsIfMatch ? context.Request.Headers.IfMatch.FirstOrDefault()?.Trim('"') : null;
        if (content.PutManifest(repository, name, context.Request.ContentType!, bytes, expected) is not { } digest)
        {
            await FaultyAnswer.ErrorAsync(context, StatusCodes.Status412PreconditionFailed, "DENIED", "the tag is another manifest's now");
            return;
        }

        context.Response.StatusCode = StatusCodes.Status201Created;
        context.Response.Headers["Docker-Content-Digest"] = announced ?? digest;
        if (keepsReferrers && Subject(manifest.RootElement) is { } subject)
        {
            context.Response.Headers["OCI-Subject"] = subject;
        }
    }

    public async Task ListReferrersAsync(string digest)
    {
        var entries = content.Manifests(repository)
            .Where(manifest => JsonDocument.Parse(manifest.Bytes).RootElement is var root && Subject(root) == digest)
            .Select(manifest => (JsonNode)new JsonObject { ["mediaType"] = manifest.MediaType, ["digest"] = InProcessRegistry.DigestOf(manifest.Bytes), ["size"] = manifest.Bytes.Length });
        context.Response.ContentType = IndexType;
        await context.Response.WriteAsync(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = IndexType, ["manifests"] = new JsonArray([.. entries]) }.ToJsonString());
    }

    public async Task ListReferrersAsync(IReadOnlyList<byte[]> pages, string? end)
    {
        const string key = "page";
        var page = int.TryParse(context.Request.Query[key], CultureInfo.InvariantCulture, out var number) ? number : 0;
        if ((page + 1 < pages.Count ? $"{context.Request.Path}?{key}={page + 1}" : end) is { } next)
        {
            context.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        }

        context.Response.ContentType = IndexType;
        await context.Response.Body.WriteAsync(pages[page], context.RequestAborted);
    }

    private static string? Subject(JsonElement manifest) => manifest.TryGetProperty("subject", out var subject) ? subject.GetProperty("digest").GetString() : null;

    private string? Missing(JsonElement manifest)
    {
        if (!manifest.TryGetProperty("config", out var config))
        {
            return null;
        }

        return manifest.GetProperty("layers").EnumerateArray().Append(config)
            .Select(blob => blob.GetProperty("digest").GetString()!)
            .FirstOrDefault(digest => !content.HasBlob(repository, digest));
    }
}
