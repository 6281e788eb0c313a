using System.Security.Cryptography;
using System.Text;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>The end of writing a CIM: everything but stream data, which is in its regions already.</summary>
internal static class CimCommit
{
    /// <summary>Version of the rule by which region set ids follow from content; part of what is hashed.</summary>
    private static ReadOnlySpan<byte> IdDomain => "cimconvert region set 1\0"u8;

    /// <param name="files">Gets the metadata region, the object ID files and the filesystem file; the data regions are in it.</param>
    /// <param name="name">The CIM's name.</param>
    /// <param name="tree">Complete.</param>
    /// <param name="parents">Region sets that offsets in the tree's streams refer to, in the order of their indexes.</param>
    /// <param name="data">The CIM's own data regions in order of their type; empty for a merged CIM.</param>
    /// <param name="fork">Where the CIM is forked, what it shares with the one it is forked from.</param>
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
    /// A region set's id is random for Microsoft; here it follows from the content (metadata, and the digests of all data), so
    /// that the same layer gives the same bytes. Marked as an RFC 9562 version 8 (custom) UUID.
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
