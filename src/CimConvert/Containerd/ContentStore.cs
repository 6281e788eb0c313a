using CimConvert.Containerd.Api;
using CimConvert.Oci;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CimConvert.Containerd;

/// <summary>The daemon's content store: blobs by digest.</summary>
internal sealed class ContentStore(ContainerdClient client)
{
    /// <summary>How long another writer of the same blob is waited for: only documents are, which take no time.</summary>
    private static readonly TimeSpan s_lockedPause = TimeSpan.FromMilliseconds(200);

    private const int LockedTries = 25;

    private readonly Content.ContentClient _content = new(client.Calls);

    /// <summary>Reads a blob as a stream, which ends with an error if the daemon has not all of it. The digest is the reader's to check.</summary>
    /// <exception cref="ConversionException">Only from the stream: the call begins with the first byte read.</exception>
    public Stream Read(Digest digest, long size, CancellationToken cancellationToken)
    {
        var request = new ReadContentRequest { Digest = digest.ToString() };
        return new ContentReadStream(client.Address, _content.Read(request, client.Options(deadline: null, cancellationToken)), digest, size, cancellationToken);
    }

    /// <summary>As <see cref="Read"/>, after a look whether the blob is there with this size.</summary>
    /// <exception cref="ConversionException">The daemon does not have it.</exception>
    public async Task<Stream> ReadAsync(Digest digest, long size, CancellationToken cancellationToken)
    {
        var info = await InfoAsync(digest, cancellationToken)
            ?? throw new ConversionException($"containerd at {client.Address} does not have the content {digest} in the namespace '{client.Namespace}'");
        return info.Size == size
            ? Read(digest, size, cancellationToken)
            : throw new ConversionException($"containerd at {client.Address} has {info.Size} bytes of {digest}, which should have {size}");
    }

    /// <summary>The size and labels of a blob; null if the daemon does not have it.</summary>
    public async Task<ContentInfo?> InfoAsync(Digest digest, CancellationToken cancellationToken)
    {
        var request = new InfoRequest { Digest = digest.ToString() };
        var answer = await client.TryCallAsync(
            $"look for the content {digest}", StatusCode.NotFound, options => _content.InfoAsync(request, options), Deadlines.Quick, cancellationToken);
        return answer?.Info;
    }

    /// <summary>Writes a document, or gives the one that is there the labels that it lacks; the client's lease takes it in either case.</summary>
    public async Task PutAsync(Digest digest, ReadOnlyMemory<byte> bytes, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var request = new WriteContentRequest
        {
            Action = WriteAction.Commit,
            Ref = BlobIngest.RefOf(digest),
            Total = bytes.Length,
            Expected = digest.ToString(),
            Data = UnsafeByteOperations.UnsafeWrap(bytes),
        };
        request.Labels.Add(labels.ToDictionary());
        for (var tries = 1; ; tries++)
        {
            try
            {
                await WriteAsync(request, cancellationToken);
                return;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
            {
                await LabelAsync(digest, labels, cancellationToken);
                return;
            }
            catch (RpcException e) when (BlobIngest.IsLocked(e) && tries < LockedTries)
            {
                await Task.Delay(s_lockedPause, cancellationToken);
            }
            catch (RpcException e)
            {
                throw ContainerdFailures.Of(client.Address, $"write the content {digest}", e, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Writes a layer's blob, from where a killed run stopped. The stream is the whole blob: what is there already is skipped. The daemon
    /// checks the digest.
    /// </summary>
    /// <returns>False if the daemon had it; then the blob is not opened.</returns>
    public async Task<bool> IngestBlobAsync(
        Func<CancellationToken, Task<Stream>> open, Descriptor descriptor, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        if (await InfoAsync(descriptor.Digest, cancellationToken) is null)
        {
            await using var blob = await open(cancellationToken);
            if (await new BlobIngest(client, descriptor).RunAsync(blob, labels, cancellationToken))
            {
                return true;
            }
        }

        await LabelAsync(descriptor.Digest, labels, cancellationToken);
        return false;
    }

    /// <summary>The labels of those wanted that a blob does not have.</summary>
    public static string[] Lacking(IDictionary<string, string> labels, IReadOnlyDictionary<string, string> wanted) =>
        [.. wanted.Where(label => !labels.TryGetValue(label.Key, out var value) || value != label.Value).Select(label => label.Key)];

    private async Task LabelAsync(Digest digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var info = await InfoAsync(digest, cancellationToken)
            ?? throw new ConversionException($"the content {digest} was removed from containerd at {client.Address} while it was written; run the same command again");
        var lacking = Lacking(info.Labels, labels);
        if (lacking.Length == 0)
        {
            return;
        }

        var request = new UpdateRequest { Info = new ContentInfo { Digest = digest.ToString() }, UpdateMask = new FieldMask() };
        foreach (var key in lacking)
        {
            request.Info.Labels.Add(key, labels[key]);
            request.UpdateMask.Paths.Add($"labels.{key}");
        }

        await client.CallAsync($"label the content {digest}", options => _content.UpdateAsync(request, options), Deadlines.Quick, cancellationToken);
    }

    /// <summary>The daemon answers a commit twice: what it wrote, and that it is done.</summary>
    private async Task WriteAsync(WriteContentRequest request, CancellationToken cancellationToken)
    {
        using var call = _content.Write(client.Options(Deadlines.Quick, cancellationToken));
        await BlobIngest.SendAsync(call, request, cancellationToken);
        await call.RequestStream.CompleteAsync();
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
        }
    }
}
