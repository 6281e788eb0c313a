namespace CimConvert.Store;

/// <summary>The parts of a store that can be broken.</summary>
internal enum StorePart
{
    Layer,
    Merged,
    Blob,
    Image,
    Index,
}

/// <summary>A broken part of a store.</summary>
/// <param name="Part">The kind of part.</param>
/// <param name="Name">A chain ID for layers and merged CIMs; a file name for blobs and the index; for images the reference, with the platform if it has several.</param>
/// <param name="Message">What is wrong.</param>
internal sealed record StoreProblem(StorePart Part, string Name, string Message)
{
    /// <summary>One line: what is wrong, and what to do.</summary>
    public override string ToString() => Part switch
    {
        StorePart.Layer => $"layer {Name}: {Message}; 'verify --repair' removes it, and the next conversion makes it again",
        StorePart.Merged => $"merged CIM of {Name}: {Message}; 'verify --repair' removes it, and the next conversion makes it again",
        StorePart.Blob => $"blob {Name}: {Message}; 'verify --repair' removes it, or links it again if its layer is valid",
        StorePart.Image => $"{Name}: {Message}; 'verify --repair' links missing blobs again, or removes the image from the index: then convert it again",
        _ => $"{Name}: {Message}; 'verify --repair' removes it: then convert the images again",
    };
}
