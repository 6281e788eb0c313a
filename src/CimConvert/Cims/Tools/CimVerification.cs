using System.Security.Cryptography;
using CimConvert.Formats.BlockFile;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Vhd;

namespace CimConvert.Cims.Tools;

/// <summary>What a verification checked.</summary>
internal sealed record VerificationResult(long Entries, long Bytes, long Objects, bool Sealed);

/// <summary>
/// Reads a whole CIM and checks all that can be checked: structure, every stream, object digests, seal, root digest and VHD footer.
/// </summary>
internal static class CimVerification
{
    private const int BufferSize = 1024 * 1024;
    private const int ObjectDigestSize = 24;

    /// <param name="cim">The CIM; a merged CIM must be opened with its sources.</param>
    /// <param name="path">The CIM's block file; null for a standard set.</param>
    /// <param name="expectedRoot">The root digest it must have; null if none is known.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The CIM is damaged; the message says where.</exception>
    public static VerificationResult Verify(this OpenCim cim, string? path, byte[]? expectedRoot, CancellationToken cancellationToken)
    {
        if (cim.Container is { } container)
        {
            CheckRoot(container, expectedRoot);
            container.VerifySeal(cancellationToken);
            if (path is not null)
            {
                CheckFooter(container, path);
            }
        }

        CheckRegions(cim.Cim);
        var buffer = new byte[BufferSize];
        var (entries, bytes, objects) = (0L, 0L, 0L);
        foreach (var (entryPath, entry) in CimWalk.Below(cim.Cim, CimPath.Root, cim.Cim.Root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                entries++;
                bytes += ReadEntry(cim.Cim, entry, buffer);
            }
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"'{entryPath}': {e.Message}", e);
            }
        }

        for (var region = 0; region < cim.Cim.OwnRegions.Count; region++)
        {
            var objectBytes = 0L;
            foreach (var (offset, content) in cim.Cim.Objects(region))
            {
                cancellationToken.ThrowIfCancellationRequested();
                CheckObject(cim.Cim, offset, content, buffer);
                objects++;
                objectBytes += content.Length;
                if (objectBytes > cim.Cim.RegionLength(offset))
                {
                    // Each content is in a region once. Without this check, overlapping entries could make the verification read any number
                    // of bytes.
                    throw new InvalidDataException($"the object IDs of region {region} cover more bytes than it has");
                }
            }
        }

        return new VerificationResult(entries, bytes, objects, cim.Container?.IsSealed ?? false);
    }

    /// <summary>Checks the seal of a managed block file, which need not be a CIM that can be read without others, against a root digest.</summary>
    /// <exception cref="InvalidDataException">The file is not sealed, or has other content than the root digest is of.</exception>
    public static void VerifySeal(string blockFile, byte[] root, CancellationToken cancellationToken)
    {
        using var container = new BlockFileReader(new Formats.Binary.FileRandomReader(blockFile));
        CheckRoot(container, root);
        container.VerifySeal(cancellationToken);
    }

    /// <summary>Checks that a standard CIM's own files and those of all its parents are beside it, and are what their names say.</summary>
    /// <exception cref="InvalidDataException">A file is missing, or another one; the message names it.</exception>
    public static void VerifyRegions(string cimFile)
    {
        using var cim = OpenCim.Open(cimFile, []);
        CheckRegions(cim.Cim);
    }

    /// <summary>Opens all regions: one that nothing refers to must exist as well, because the header lists it.</summary>
    private static void CheckRegions(CimReader cim) => _ = cim.Regions.Last();

    private static void CheckRoot(BlockFileReader container, byte[]? expectedRoot)
    {
        if (expectedRoot is null)
        {
            return;
        }

        if (!container.IsSealed)
        {
            throw new InvalidDataException("the block file is not sealed, but a root digest is kept beside it");
        }

        if (!container.Root.AsSpan().SequenceEqual(expectedRoot))
        {
            throw new InvalidDataException(
                $"the block file's root digest is {Convert.ToHexStringLower(container.Root)}, expected {Convert.ToHexStringLower(expectedRoot)}");
        }
    }

    private static void CheckFooter(BlockFileReader container, string path)
    {
        if (container.TrailerSize == 0)
        {
            return;
        }

        using var file = new Formats.Binary.FileRandomReader(path);
        var footer = new byte[VhdFooter.Size];
        file.ReadAt(container.BlocksLength, footer);
        if (!footer.AsSpan().SequenceEqual(VhdFooter.Create(container.BlocksLength, container.Root)))
        {
            throw new InvalidDataException("the VHD footer does not match the block file's content");
        }
    }

    private static long ReadEntry(CimReader cim, CimEntry entry, byte[] buffer)
    {
        cim.SecurityDescriptor(entry);
        cim.ExtendedAttributes(entry);
        if (entry.Has(CimFileFlags.MergeLink))
        {
            cim.MergeLinkTarget(entry);
        }
        else
        {
            cim.Reparse(entry);
        }

        var bytes = entry.IsDirectory || entry.Has(CimFileFlags.LayerMask & ~CimFileFlags.Implicit) ? 0 : ReadStream(cim, entry.Data, buffer);
        foreach (var stream in cim.AlternateStreams(entry))
        {
            bytes += ReadStream(cim, stream.Stream, buffer);
        }

        return bytes;
    }

    private static long ReadStream(CimReader cim, CimStream stream, byte[] buffer)
    {
        using var data = cim.OpenStream(stream);

        // A sparse stream has no stored content, so there is nothing to read, whatever its length.
        while (!stream.IsSparse && data.Read(buffer) > 0)
        {
        }

        return stream.Length;
    }

    private static void CheckObject(CimReader cim, RegionOffset offset, CimObject content, byte[] buffer)
    {
        if (content.Length is < 0 or > CimStream.MaxLength)
        {
            throw new InvalidDataException($"an object ID entry says it has {content.Length} bytes");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var data = cim.OpenStream(new CimStream(offset, content.Length, CimStreamType.Data));
        for (int read; (read = data.Read(buffer)) > 0;)
        {
            hash.AppendData(buffer.AsSpan(0, read));
        }

        if (!hash.GetHashAndReset().AsSpan(0, ObjectDigestSize).SequenceEqual(content.Digest))
        {
            throw new InvalidDataException($"the {content.Length} bytes at {offset} do not match their object ID: the data is damaged");
        }
    }
}
