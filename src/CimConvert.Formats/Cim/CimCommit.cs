using System.Security.Cryptography;
using System.Text;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>Finishes a CIM: writes everything but stream data, which is already in its regions.</summary>
internal static class CimCommit
{
    /// <summary>Hashed first: names the rule that derives region set ids from content, and its version.</summary>
    private static ReadOnlySpan<byte> IdDomain => "cimconvert region set 1\0"u8;

    /// <param name="files">Holds the data regions; receives the metadata region, the object ID files and the filesystem file.</param>
    /// <param name="name">The CIM's name.</param>
    /// <param name="tree">The complete tree.</param>
    /// <param name="parents">Region sets that offsets in the tree's streams refer to, in index order.</param>
    /// <param name="data">The CIM's own data regions, ordered by type; empty for a merged CIM.</param>
    /// <param name="fork">What a forked CIM shares with its parent; null if the CIM is not forked.</param>
    public static RegionSet Write(
        IFileSetWriter files,
        string name,
        CimTree tree,
        IReadOnlyList<RegionSet> parents,
        IReadOnlyList<CimDataWriter.Region> data,
        CimFork? fork = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(IdDomain);
        hash.AppendData(Encoding.UTF8.GetBytes(name));
        foreach (var parent in parents)
        {
            hash.AppendData(parent.Id.ToByteArray());
        }

        var metadataRegion = parents.Sum(p => p.Count);
        var layout = new CimLayout(tree, metadataRegion, fork);
        var metadata = files.Create(digested: true);
        Write(metadata, hash, to => CimEmitter.Emit(layout, to));

        var objectIds = new List<IAppendableFile> { files.Create(digested: true) };
        Write(objectIds[0], hash, static to => CimHeaders.WriteObjectIds(to, (ushort)RegionType.Metadata, RegionType.Metadata, 0));
        foreach (var region in data)
        {
            var file = files.Create(digested: true);
            objectIds.Add(file);
            Write(file, hash, to => EmitObjectIds(region, to));
        }

        var own = new RegionSet(IdFrom(hash), checked((ushort)(1 + data.Count)));
        files.Publish(metadata, CimFormat.RegionName(own.Id, 0));
        for (var i = 0; i < data.Count; i++)
        {
            files.Publish(data[i].File, CimFormat.RegionName(own.Id, i + 1));
        }

        for (var i = 0; i < objectIds.Count; i++)
        {
            files.Publish(objectIds[i], CimFormat.ObjectIdName(own.Id, i));
        }

        var filesystem = files.Create(digested: true);
        Write(filesystem, hash: null, to => CimHeaders.WriteFilesystem(to, own, layout.At(layout.FilesystemObject), parents));
        files.Publish(filesystem, name);
        return own;
    }

    private static void Write(IAppendableFile file, IncrementalHash? hash, Action<AppendWriter> emit)
    {
        var writer = new AppendWriter(file, hash);
        emit(writer);
        writer.Flush();
    }

    private static void EmitObjectIds(CimDataWriter.Region region, AppendWriter to)
    {
        CimHeaders.WriteObjectIds(to, (ushort)region.Type, region.Type, checked((uint)region.Objects.Count));
        foreach (var (id, offset) in region.Objects)
        {
            to.I64(id.Length);
            to.U64(id.Digest.First);
            to.U64(id.Digest.Second);
            to.U64(id.Digest.Third);
            to.I64(offset);
        }
    }

    /// <summary>
    /// CimFS uses random region set ids. Here the id is derived from the content (the metadata and the digests of all data), so
    /// that the same layer gives the same bytes. It is marked as an RFC 9562 version 8 (custom) UUID.
    /// </summary>
    private static Guid IdFrom(IncrementalHash hash)
    {
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes[..16], bigEndian: true);
    }
}
