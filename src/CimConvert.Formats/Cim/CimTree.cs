using System.Buffers.Binary;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// The names and metadata of a CIM being built, in memory until it is laid out. Decides what happens when an entry comes
/// twice, its parent never or late, or a whiteout beside it: the last entry of a name wins, whiteouts speak of lower layers only.
/// </summary>
internal sealed class CimTree
{
    /// <summary>SD and reparse buffers are stored behind a 16-bit length, EAs beside one.</summary>
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
        var at = Root;
        if (path.IsRoot)
        {
            return at;
        }

        var value = path.Value.AsSpan();
        foreach (var range in value.Split(CimPath.Separator))
        {
            if (at.Children is null || !at.Children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(value[range], out var child))
            {
                return null;
            }

            at = child;
        }

        return at;
    }

    /// <summary>Adds a file or directory, or replaces what had the name. A directory over a directory keeps what is in it.</summary>
    public CimFile Create(CimPath path, in CimFileMetadata metadata)
    {
        if (path.IsRoot)
        {
            if (!metadata.IsDirectory || !metadata.Reparse.IsEmpty)
            {
                throw new InvalidDataException("the image's root can only be a plain directory");
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
            throw new InvalidDataException($"hard link '{newPath}': its target '{existingPath}' is not a file of this image");
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
            throw new InvalidDataException($"link '{newPath}': its target is the image's root");
        }

        var bytes = new byte[targetPath.Value.Length * sizeof(char)];
        for (var i = 0; i < targetPath.Value.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * sizeof(char)), targetPath.Value[i]);
        }

        CheckBlob(bytes, "link target");
        PutLeaf(newPath, new CimFile { Flags = CimFileFlags.MergeLink, Reparse = Blobs.Add(bytes) });
    }

    /// <summary>The path a merge link was given.</summary>
    public CimPath MergeLinkTarget(CimFile link) => CimPath.Parse(SpanReader.Utf16Of(Blobs[link.Reparse]));

    /// <summary>
    /// Hides the path in lower layers. An entry of this layer stays, whether it came before the whiteout or comes after:
    /// whiteouts apply to lower layers only (OCI image layer specification, "Whiteouts").
    /// </summary>
    public void Tombstone(CimPath path)
    {
        if (path.IsRoot)
        {
            throw new InvalidDataException("the image's root cannot be removed");
        }

        if (LiesBelowTombstone(path))
        {
            return;
        }

        var parent = ParentOf(path);
        if (!parent.Children!.TryGetValue(path.Name, out var existing) || HoldsOnlyWhiteouts(existing))
        {
            Put(parent, path.Name, new CimFile { Flags = CimFileFlags.Tombstone });
        }
        else if (existing.IsPlainDirectory)
        {
            // The lower directory is gone with its metadata: what this layer has starts anew.
            existing.Flags = (existing.Flags | CimFileFlags.Opaque) & ~CimFileFlags.Implicit;
        }
    }

    /// <summary>Hides what lower layers have in the directory, which is made where it is missing; its lower metadata stands.</summary>
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

    /// <summary>A directory where this layer already had something else: that hid what is lower, and so must the directory.</summary>
    private static CimFileFlags HidesLower(CimFile? existing) =>
        existing is null ? CimFileFlags.None : CimFileFlags.Opaque;

    private static void CheckBlob(ReadOnlySpan<byte> blob, string what)
    {
        if (blob.Length > MaxBlobSize)
        {
            throw new InvalidDataException($"{what} of {blob.Length} bytes: a CIM holds at most {MaxBlobSize}");
        }
    }

    /// <summary>The spelling of the newest entry stands, so an older one of other case goes first.</summary>
    private void Put(CimFile directory, string name, CimFile file)
    {
        if (directory.Children!.Remove(name, out var replaced) && replaced.IsDirectory && replaced != file)
        {
            (_lastParentPath, _lastParent) = (CimPath.Root, Root);
        }

        directory.Children.Add(name, file);
    }

    /// <summary>Whether a directory is only there because something in it is removed from lower layers.</summary>
    private static bool HoldsOnlyWhiteouts(CimFile file)
    {
        var open = new Stack<CimFile>([file]);
        while (open.TryPop(out var at))
        {
            if (!at.Has(CimFileFlags.Tombstone) && !at.Has(CimFileFlags.Implicit))
            {
                return false;
            }

            if (at.Children is not null)
            {
                foreach (var child in at.Children.Values)
                {
                    open.Push(child);
                }
            }
        }

        return file.IsDirectory;
    }

    private bool LiesBelowTombstone(CimPath path)
    {
        if (path.IsRoot)
        {
            return false;
        }

        var at = Root;
        var value = path.Value.AsSpan();
        foreach (var range in value.Split(CimPath.Separator))
        {
            if (range.End.Value == value.Length || at.Children is null
                || !at.Children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(value[range], out var child))
            {
                return false;
            }

            if (child.Has(CimFileFlags.Tombstone))
            {
                return true;
            }

            at = child;
        }

        return false;
    }

    private void PutLeaf(CimPath path, CimFile file)
    {
        if (path.IsRoot)
        {
            throw new InvalidDataException("the image's root cannot be a link");
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

        var at = Root;
        if (!parentPath.IsRoot)
        {
            var value = parentPath.Value.AsSpan();
            foreach (var range in value.Split(CimPath.Separator))
            {
                var name = value[range];
                at = at.Children!.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var child) && child.IsPlainDirectory
                    ? child
                    : DirectoryAt(at, name.ToString(), path);
            }
        }

        (_lastParentPath, _lastParent) = (parentPath, at);
        return at;
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

        // In place of a tombstone it starts anew; else a lower directory's metadata stands.
        var directory = CimFile.NewDirectory(existing is null ? CimFileFlags.Implicit : CimFileFlags.Opaque);
        directory.SecurityDescriptor = Root.SecurityDescriptor;
        Put(parent, name, directory);
        return directory;
    }
}
