using System.Buffers;
using System.Security.Cryptography;
using CimConvert.Storage;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Cims;

/// <summary>
/// Computes the SHA-256 of a file while it is written front to back. A second thread follows the writer: it reads settled bytes back while
/// they are still in the page cache, and starts their writeback, so that the final flush has little left to do. Without a follower, the
/// writer starts the writeback itself and there is no digest.
/// </summary>
/// <param name="handle">Open for reading; not owned.</param>
internal sealed class GrowingFileDigest(SafeFileHandle handle) : IDisposable
{
    private const int BufferSize = 256 * 1024;
    private const long UnfollowedStep = 4 << 20;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ManualResetEventSlim _news = new();
    private long _settled;
    private long _hashed;
    private long _sent;
    private volatile bool _ended;
    private volatile bool _isFollowed;

    /// <summary>Called by the writer: the first <paramref name="length"/> bytes of the file do not change any more.</summary>
    public void Settle(long length)
    {
        Volatile.Write(ref _settled, length);
        _news.Set();
        if (!_isFollowed && length - _sent >= UnfollowedStep)
        {
            Writeback.Begin(handle, _sent, length - _sent);
            _sent = length;
        }
    }

    /// <summary>Hashes settled bytes as they come, until <see cref="EndFollowing"/>.</summary>
    public void Follow(CancellationToken cancellationToken)
    {
        _isFollowed = true;
        bool ended;
        do
        {
            _news.Wait(cancellationToken);
            _news.Reset();
            ended = _ended;
            HashTo(Volatile.Read(ref _settled), cancellationToken);
        }
        while (!ended);
    }

    /// <summary>Ends <see cref="Follow"/>; <see cref="TryFinish"/> hashes the few bytes that are written later.</summary>
    public void EndFollowing()
    {
        _ended = true;
        _news.Set();
    }

    public void Dispose()
    {
        _hash.Dispose();
        _news.Dispose();
    }

    /// <summary>The digest of the finished file; null if there was no follower.</summary>
    /// <param name="length">The file's length in bytes.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    internal byte[]? TryFinish(long length, CancellationToken cancellationToken)
    {
        if (!_isFollowed)
        {
            return null;
        }

        HashTo(length, cancellationToken);
        return _hash.GetHashAndReset();
    }

    private void HashTo(long end, CancellationToken cancellationToken)
    {
        var start = _hashed;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (_hashed < end)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var read = RandomAccess.Read(handle, buffer.AsSpan(0, (int)Math.Min(BufferSize, end - _hashed)), _hashed);
                if (read == 0)
                {
                    throw new InvalidDataException($"the block file ended at byte {_hashed} while it was hashed");
                }

                _hash.AppendData(buffer.AsSpan(0, read));
                _hashed += read;
            }

            Writeback.Begin(handle, start, end - start);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
