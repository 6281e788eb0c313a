using System.Buffers;
using System.Security.Cryptography;
using CimConvert.Storage;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Cims;

/// <summary>
/// The SHA-256 of a file that is being written front to back, made by a thread that follows the writer: what is settled is
/// read again while the system still has it in memory, and sent on its way to the disk, so that the flush at the end has little
/// left to wait for. Without a follower the writer itself sends it on its way, and there is no digest.
/// </summary>
/// <param name="handle">Open for reading. Not owned.</param>
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

    /// <summary>Says how many bytes, from the file's start on, will not change any more. Called by the writer.</summary>
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

    /// <summary>Hashes what is settled as it gets so, until <see cref="EndFollowing"/>.</summary>
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

    /// <summary>Lets the follower come to its end: what comes now is little.</summary>
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

    /// <summary>The digest of the finished file; null where nobody followed it.</summary>
    /// <param name="length">All its bytes.</param>
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
