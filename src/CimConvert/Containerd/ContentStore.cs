using CimConvert.Containerd.Api;
using CimConvert.Oci;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CimConvert.Containerd;

/// <summary>The daemon's content store: blobs by digest.</summary>
internal sealed class ContentStore(ContainerdClient client)
{
    private static readonly TimeSpan s_lockedPause = TimeSpan.FromMilliseconds(200);

    /// <summary>How long another writer of the same document is waited for, which takes no time.</summary>
    private static readonly TimeSpan s_lockedDocument = TimeSpan.FromSeconds(5);

    /// <summary>How long another writer of a layer's blob is waited for, which downloads it meanwhile.</summary>
    private static readonly TimeSpan s_lockedBlob = Deadlines.Slow;

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
        if (!await WhileLockedAsync(digest, s_lockedDocument, () => WriteAsync(request, cancellationToken), cancellationToken))
        {
            await LabelAsync(digest, labels, cancellationToken);
        }
    }

    /// <summary>
    /// Writes a layer's blob, from where a killed run stopped, or gives the one that is there the labels that it lacks; the client's lease
    /// takes it in either case. The daemon checks the digest.
    /// </summary>
    /// <param name="open">Opens the blob at an offset.</param>
    /// <param name="descriptor">The blob.</param>
    /// <param name="labels">For the blob.</param>
    /// <param name="cancellationToken">Ends the writing; what is written stays for the next run.</param>
    /// <returns>False if the daemon had it; then the blob is not opened.</returns>
    public async Task<bool> IngestBlobAsync(
        Func<long, CancellationToken, Task<Stream>> open, Descriptor descriptor, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var ingest = new BlobIngest(client, descriptor);
        if (await WhileLockedAsync(descriptor.Digest, s_lockedBlob, () => ingest.RunAsync(open, labels, cancellationToken), cancellationToken))
        {
            return true;
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

    /// <summary>Tries again while another call writes the same content: the daemon lets one write it at a time.</summary>
    private async Task<bool> WhileLockedAsync(Digest digest, TimeSpan longest, Func<Task<bool>> write, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await write();
            }
            catch (RpcException e) when (BlobIngest.IsLocked(e) && TimeProvider.System.GetElapsedTime(start) < longest)
            {
                await Task.Delay(s_lockedPause, cancellationToken);
            }
            catch (RpcException e)
            {
                throw ContainerdFailures.Of(client.Address, $"write the content {digest}", e, cancellationToken);
            }
        }
    }

    /// <returns>False if the daemon has the content; the lease has taken it.</returns>
    private async Task<bool> WriteAsync(WriteContentRequest request, CancellationToken cancellationToken)
    {
        using var call = _content.Write(client.Options(Deadlines.Quick, cancellationToken));
        try
        {
            await BlobIngest.SendAsync(call, request, cancellationToken);
            await call.RequestStream.CompleteAsync();

            // The daemon answers a commit twice: what it wrote, and that it is done.
            while (await call.ResponseStream.MoveNext(cancellationToken))
            {
            }

            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            return false;
        }
    }
}
