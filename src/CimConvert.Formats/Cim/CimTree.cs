using System.Buffers.Binary;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// The names and metadata of a CIM being built, in memory until it is laid out. Decides what happens to an entry that comes
/// twice, whose parent is missing or comes later, or that has a whiteout beside it: the last entry of a name wins, and
/// whiteouts apply to lower layers only.
/// </summary>
internal sealed class CimTree
{
    /// <summary>Security descriptors, reparse buffers and EAs have 16-bit lengths.</summary>
    private const int MaxBlobSize = ushort.MaxValue;

    private const int ReparseHeaderSize = 8;

    private CimPath _lastParentPath;
    private CimFile _lastParent;

    public CimTree(ReadOnlySpan<byte> rootSecurityDescriptor)
    {
        Root = CimFile.NewDirectory(CimFileFlags.Implicit);
        Root.SecurityDescriptor = Blobs.Add(rootSecurityDescriptor);
        _lastParent = Root;
    }

    public CimFile Root { get; }

    public BlobTable Blobs { get; } = new();

    public CimFile? Find(CimPath path)
    {
        var file = Root;
        if (path.IsRoot)
        {
            return file;
        }

        var value = path.Value.AsSpan();
        foreach (var range in value.Split(CimPath.Separator))
        {
            if (file.Children is null || !file.Children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(value[range], out var child))
            {
                return null;
            }

            file = child;
        }

        return file;
    }

    /// <summary>Adds a file or directory, or replaces the entry of that name; a directory over a directory keeps its entries.</summary>
    public CimFile Create(CimPath path, in CimFileMetadata metadata)
    {
        if (path.IsRoot)
        {
            if (!metadata.IsDirectory || !metadata.Reparse.IsEmpty)
            {
                throw new InvalidDataException("the CIM's root can only be a plain directory");
            }

            Describe(Root, metadata);
            return Root;
        }

        var parent = ParentOf(path);
        var name = path.Name;
        parent.Children!.TryGetValue(name, out var existing);
        var file = metadata.IsDirectory && existing is { IsPlainDirectory: true } && metadata.Reparse.IsEmpty ? existing
            : !metadata.IsDirectory ? new CimFile()
            : CimFile.NewDirectory(metadata.Reparse.IsEmpty ? HidesLower(existing) : CimFileFlags.None);
        Describe(file, metadata);
        Put(parent, name, file);
        return file;
    }

    public void Link(CimPath newPath, CimPath existingPath)
    {
        var target = Find(existingPath);
        if (target is null || target.Has(CimFileFlags.Tombstone | CimFileFlags.MergeLink))
        {
            throw new InvalidDataException($"hard link '{newPath}': its target '{existingPath}' is not a file of this CIM");
        }

        if (target.IsDirectory)
        {
            throw new InvalidDataException($"hard link '{newPath}': its target '{existingPath}' is a directory");
        }

        PutLeaf(newPath, target);
    }

    public void MergeLink(CimPath newPath, CimPath targetPath)
    {
        if (targetPath.IsRoot)
        {
            throw new InvalidDataException($"link '{newPath}': its target is the CIM's root");
        }

        var bytes = new byte[targetPath.Value.Length * sizeof(char)];
        for (var i = 0; i < targetPath.Value.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * sizeof(char)), targetPath.Value[i]);
        }

        CheckBlob(bytes, "link target");
        PutLeaf(newPath, new CimFile { Flags = CimFileFlags.MergeLink, Reparse = Blobs.Add(bytes) });
    }

    /// <summary>The target path of a merge link.</summary>
    public CimPath MergeLinkTarget(CimFile link) => CimPath.Parse(SpanReader.Utf16Of(Blobs[link.Reparse]));

    /// <summary>
    /// Hides the path in lower layers. An entry of this layer stays, whether it comes before or after the whiteout:
    /// whiteouts apply to lower layers only (OCI image spec, layer.md, "Whiteouts").
    /// </summary>
    public void Tombstone(CimPath path)
    {
        if (path.IsRoot)
        {
            throw new InvalidDataException("the CIM's root cannot be removed");
        }

        if (LiesBelowTombstone(path))
        {
            return;
        }

        var parent = ParentOf(path);
        if (!parent.Children!.TryGetValue(path.Name, out var existing) || existing.HoldsOnlyWhiteouts())
        {
            Put(parent, path.Name, new CimFile { Flags = CimFileFlags.Tombstone });
        }
        else if (existing.IsPlainDirectory)
        {
            // The tombstone hides the lower directory and its metadata, so this layer's directory inherits neither.
            existing.Flags = (existing.Flags | CimFileFlags.Opaque) & ~CimFileFlags.Implicit;
        }
    }

    /// <summary>Hides the directory's entries in lower layers. A missing directory is added, with the lower one's metadata.</summary>
    public void MakeOpaque(CimPath directory)
    {
        if (LiesBelowTombstone(directory) || Find(directory)?.Has(CimFileFlags.Tombstone) == true)
        {
            return;
        }

        var file = directory.IsRoot ? Root : DirectoryAt(ParentOf(directory), directory.Name, directory);
        file.Flags |= CimFileFlags.Opaque;
    }

    /// <summary>Fills in everything but data and children.</summary>
    public void Describe(CimFile file, in CimFileMetadata metadata)
    {
        CheckBlob(metadata.SecurityDescriptor.Span, "security descriptor");
        CheckBlob(metadata.ExtendedAttributes.Span, "extended attributes");
        CheckBlob(metadata.Reparse.Span, "reparse buffer");
        var layerFlags = file.Flags & CimFileFlags.Opaque;
        file.Flags = layerFlags | FileAttributes.ToFlags(metadata.Attributes);
        file.CreationTime = metadata.CreationTime;
        file.LastWriteTime = metadata.LastWriteTime;
        file.ChangeTime = metadata.ChangeTime;
        file.LastAccessTime = metadata.LastAccessTime;
        file.SecurityDescriptor = Blobs.Add(metadata.SecurityDescriptor.Span);
        file.ExtendedAttributes = Blobs.Add(metadata.ExtendedAttributes.Span);
        file.Reparse = Blobs.Add(metadata.Reparse.Span);
        file.ReparseTag = 0;
        if (!metadata.Reparse.IsEmpty)
        {
            if (metadata.Reparse.Length < ReparseHeaderSize)
            {
                throw new InvalidDataException($"a reparse buffer of {metadata.Reparse.Length} bytes is shorter than its header");
            }

            file.ReparseTag = BinaryPrimitives.ReadUInt32LittleEndian(metadata.Reparse.Span);
        }
    }

    /// <summary>A directory that replaces another kind of entry of this layer is opaque: the replaced entry hid the lower layers.</summary>
    private static CimFileFlags HidesLower(CimFile? existing) =>
        existing is null ? CimFileFlags.None : CimFileFlags.Opaque;

    private static void CheckBlob(ReadOnlySpan<byte> blob, string what)
    {
        if (blob.Length > MaxBlobSize)
        {
            throw new InvalidDataException($"{what} of {blob.Length} bytes: a CIM holds at most {MaxBlobSize}");
        }
    }

    /// <summary>The last entry's spelling wins, so an earlier entry of another case is removed first.</summary>
    private void Put(CimFile directory, string name, CimFile file)
    {
        if (directory.Children!.Remove(name, out var replaced) && replaced.IsDirectory && replaced != file)
        {
            (_lastParentPath, _lastParent) = (CimPath.Root, Root);
        }

        directory.Children.Add(name, file);
    }

    private bool LiesBelowTombstone(CimPath path)
    {
        if (path.IsRoot)
        {
            return false;
        }

        var file = Root;
        var value = path.Value.AsSpan();
        foreach (var range in value.Split(CimPath.Separator))
        {
            if (range.End.Value == value.Length || file.Children is null
                || !file.Children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(value[range], out var child))
            {
                return false;
            }

            if (child.Has(CimFileFlags.Tombstone))
            {
                return true;
            }

            file = child;
        }

        return false;
    }

    private void PutLeaf(CimPath path, CimFile file)
    {
        if (path.IsRoot)
        {
            throw new InvalidDataException("the CIM's root cannot be a link");
        }

        Put(ParentOf(path), path.Name, file);
    }

    private CimFile ParentOf(CimPath path)
    {
        var parentPath = path.Parent;
        if (parentPath == _lastParentPath)
        {
            return _lastParent;
        }

        var directory = Root;
        if (!parentPath.IsRoot)
        {
            var value = parentPath.Value.AsSpan();
            foreach (var range in value.Split(CimPath.Separator))
            {
                var name = value[range];
                directory = directory.Children!.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var child) && child.IsPlainDirectory
                    ? child
                    : DirectoryAt(directory, name.ToString(), path);
            }
        }

        (_lastParentPath, _lastParent) = (parentPath, directory);
        return directory;
    }

    private CimFile DirectoryAt(CimFile parent, string name, CimPath wantedFor)
    {
        if (parent.Children!.TryGetValue(name, out var existing))
        {
            if (existing.IsPlainDirectory)
            {
                return existing;
            }

            if (!existing.Has(CimFileFlags.Tombstone))
            {
                throw new InvalidDataException($"'{wantedFor}' lies below '{name}', which is not a directory");
            }
        }

        // A directory that replaces a tombstone inherits nothing; any other takes the lower directory's metadata.
        var directory = CimFile.NewDirectory(existing is null ? CimFileFlags.Implicit : CimFileFlags.Opaque);
        directory.SecurityDescriptor = Root.SecurityDescriptor;
        Put(parent, name, directory);
        return directory;
    }
}
