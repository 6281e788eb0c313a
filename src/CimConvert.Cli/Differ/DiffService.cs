using CimConvert.Containerd;
using CimConvert.Containerd.Api;
using CimConvert.Oci;
using CimConvert.Pipeline;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Descriptor = CimConvert.Oci.Descriptor;

namespace CimConvert.Cli.Differ;

/// <summary>
/// containerd's Diff service (containerd, api/services/diff/v1): layers are applied, and no differences are made. What is left to the next
/// differ in containerd's list is answered with Unimplemented.
/// </summary>
internal sealed class DiffService(SnapshotApply layers, ContainerdClient client, IHostApplicationLifetime lifetime, ILogger<DiffService> logger) : Diff.DiffBase
{
    private const string NamespaceHeader = "containerd-namespace";

    public override async Task<ApplyResponse> Apply(ApplyRequest request, ServerCallContext context)
    {
        // Who stops the differ does not wait for imports: containerd asks again.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            var (blob, mount) = Read(request);
            using var daemon = client.ForNamespace(context.RequestHeaders.GetValue(NamespaceHeader) ?? ContainerdClient.KubernetesNamespace);

            // sync_fs asks for what is done anyway: hives and CIMs are flushed before a call ends.
            var applied = await layers.RunAsync(daemon, blob, mount, stop.Token);
            return new ApplyResponse
            {
                Applied = new BlobDescriptor { MediaType = MediaTypes.OciLayer, Digest = applied.DiffId.ToString(), Size = applied.Size },
            };
        }
        catch (Exception e)
        {
            var status = ApplyStatus.Of(e, request.Diff?.Digest, isStopping: lifetime.ApplicationStopping.IsCancellationRequested);
            Log(status);
            throw new RpcException(status);
        }
    }

    private static (Descriptor Blob, SnapshotMount Mount) Read(ApplyRequest request)
    {
        if (request.Mounts.Count != 1 || !SnapshotMount.IsKnown(request.Mounts[0]))
        {
            throw new NotOursException("only layers of the snapshotters cimfs and blockcim are made here");
        }

        if (request.Diff is not { } diff)
        {
            throw new InvalidRequestException("the request has no layer");
        }

        if (!MediaTypes.IsLayer(diff.MediaType))
        {
            throw new NotOursException($"layers of the media type '{Printable.Of(diff.MediaType)}' are not made here");
        }

        try
        {
            var blob = Descriptor.Of(diff.MediaType, Digest.Parse(diff.Digest), diff.Size);
            blob.Validate("the layer");
            return (blob, SnapshotMount.ParseLayer(request.Mounts));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidRequestException(e.Message, e);
        }
    }

    private void Log(Status status)
    {
        var level = status.StatusCode switch
        {
            StatusCode.Unimplemented => LogLevel.Debug,
            StatusCode.Cancelled => LogLevel.Information,
            _ => LogLevel.Error,
        };
        logger.Log(level, "{Detail}", status.Detail);
    }
}
