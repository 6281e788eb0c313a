using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using CimConvert.Oci;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Push;

/// <summary>
/// The referrers of a manifest in a registry without the referrers API: an index with a tag made from the manifest's digest (OCI
/// distribution spec, "Referrers Tag Schema"). Other clients write to it, too; their entries are kept as they are.
/// </summary>
internal sealed class ReferrersTag(RegistryPusher registry, Digest subject, RegistryOptions options, ILogger logger)
{
    private readonly string _tag = ReferrersList.TagOf(subject);

    /// <summary>
    /// Adds a referrer. Few registries support If-Match, so the tag is read again after a pause: a client that wrote at the same time may
    /// have replaced it.
    /// </summary>
    public async Task AddAsync(Descriptor referrer, CancellationToken cancellationToken)
    {
        var writes = 0;
        var retry = new RetryPolicy(options).Build(new RetryRule<bool>
        {
            IsTransient = outcome => outcome is { Exception: null, Result: false },
            OnRetry = (_, _, _) => { },
            MaxAttempts = options.MaxAttempts + 1,
        });
        if (!await retry.ExecuteAsync(FindOrWriteAsync, cancellationToken))
        {
            throw new RegistryException($"cannot list {referrer.Digest} under the tag {_tag}: others write to it all the time; run the same command again");
        }

        async ValueTask<bool> FindOrWriteAsync(CancellationToken cancellationToken)
        {
            var found = await registry.FindManifestAsync(_tag, cancellationToken);
            var index = found is null ? ManifestWriter.Index([]) : Read(found.Value.Bytes);
            var entries = index["manifests"]!.AsArray();
            if (entries.Any(entry => (string?)entry!["digest"] == referrer.Digest.ToString()))
            {
                return true;
            }

            if (writes++ < options.MaxAttempts)
            {
                entries.Add((JsonNode)Entry(referrer));
                await WriteAsync(index, found?.State, cancellationToken);
            }

            return false;
        }
    }

    private async Task WriteAsync(JsonObject index, EntityTagHeaderValue? replaced, CancellationToken cancellationToken)
    {
        var bytes = ManifestWriter.Write(index);
        _ = Parse(bytes);
        try
        {
            await registry.PutManifestAsync(_tag, Descriptor.Of(MediaTypes.OciIndex, bytes), bytes, cancellationToken, replaced);
        }
        catch (RegistryException e) when (e.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict)
        {
            logger.LogDebug("the list of referrers {Tag} was changed meanwhile", _tag);
        }
    }

    private JsonObject Read(byte[] bytes)
    {
        _ = Parse(bytes);
        return JsonNode.Parse(bytes)!.AsObject();
    }

    private ImageIndex Parse(byte[] bytes)
    {
        try
        {
            return ImageIndex.Parse(bytes, MediaTypes.OciIndex);
        }
        catch (InvalidDataException e)
        {
            throw new RegistryException($"cannot add to the tag {_tag}, which lists what refers to {subject}: {e.Message}", e);
        }
    }

    /// <summary>The fields that the tag schema asks for, annotations sorted.</summary>
    private static JsonObject Entry(Descriptor referrer) => ManifestWriter.Node(referrer with
    {
        Platform = null,
        Annotations = referrer.Annotations?.OrderBy(a => a.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal),
    });
}
