using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;

namespace CimConvert.Layers;

/// <summary>Makes a layer's names in its CIM, as the tree decides them and as the CIM's writer takes them. Owns neither.</summary>
internal sealed class LayerCim(LayerTree tree, ICimWriter cim)
{
    /// <summary>Whether links are made when they come, because what is removed is gone for every later call.</summary>
    public bool LinksAtOnce => cim.Names == NameHandling.Forked;

    /// <summary>Adds a file or directory and opens its stream. Without a security descriptor it gets the one that lets everyone do everything.</summary>
    public void CreateFile(CimPath path, in CimFileMetadata metadata)
    {
        // A link to a directory has nothing below it.
        Prepare(path, metadata.IsDirectory && metadata.Reparse.IsEmpty);
        cim.CreateFile(path, metadata.SecurityDescriptor.IsEmpty ? metadata with { SecurityDescriptor = SecurityDescriptor.NullDacl } : metadata);
    }

    /// <summary>Adds a directory that the importer makes up.</summary>
    public void CreateDirectory(CimPath path)
    {
        CreateFile(path, EntryMetadata.Made(Win32Attributes.Directory, 0));
        cim.CloseStream();
    }

    /// <summary>Adds a file with all of a stream's bytes, as many as the metadata says.</summary>
    public void AddFile(CimPath path, in CimFileMetadata metadata, Stream content, CancellationToken cancellationToken)
    {
        CreateFile(path, metadata);
        CimFiles.Fill(cim, content, cancellationToken);
    }

    public void CreateAlternateStream(CimPath file, string name, long size) => cim.CreateAlternateStream(file, name, size);

    public void Write(ReadOnlySpan<byte> data) => cim.Write(data);

    public void CloseStream() => cim.CloseStream();

    public void CreateHardLink(CimPath path, CimPath target)
    {
        Prepare(path, isDirectory: false);
        cim.CreateHardLink(path, target);
    }

    public void CreateMergeLink(CimPath path, CimPath target)
    {
        Prepare(path, isDirectory: false);
        cim.CreateMergeLink(path, target);
    }

    /// <summary>Removes a name of lower layers.</summary>
    public void Remove(CimPath path)
    {
        if (path.IsRoot)
        {
            throw new InvalidDataException("the root cannot be removed");
        }

        if (tree.Remove(path, cim.Names))
        {
            cim.Tombstone(path);
        }
    }

    /// <summary>Removes what lower layers have in a directory.</summary>
    public void RemoveContents(CimPath directory) => cim.MakeOpaque(directory);

    /// <summary>Says that the next name comes from elsewhere than the tar, and makes room for it.</summary>
    public void Prepare(CimPath path, bool isDirectory)
    {
        var preparation = tree.Prepare(path, isDirectory, cim.Names);
        for (var i = (preparation.MissingDirectories?.Count ?? 0) - 1; i >= 0; i--)
        {
            cim.CreateFile(preparation.MissingDirectories![i], EntryMetadata.Made(Win32Attributes.Directory, 0));
            cim.CloseStream();
        }

        if (preparation.DeletesFirst)
        {
            cim.Delete(path);
        }
    }
}
