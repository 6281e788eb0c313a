namespace CimConvert.Store;

/// <summary>What in a store can be broken.</summary>
internal enum StorePart
{
    Layer,
    Merged,
    Blob,
    Image,
    Index,
}

/// <summary>Something wrong in a store.</summary>
/// <param name="Part">What it is.</param>
/// <param name="Name">Which one: a chain ID, for layers and merged CIMs; the file's name, for blobs; the reference, for images.</param>
/// <param name="Message">What is wrong with it.</param>
internal sealed record StoreProblem(StorePart Part, string Name, string Message)
{
    /// <summary>One line: what is wrong, and what to do.</summary>
    public override string ToString() => Part switch
    {
        StorePart.Layer => $"layer {Name}: {Message}; 'verify --repair' removes it, and the next conversion makes it anew",
        StorePart.Merged => $"merged CIM of {Name}: {Message}; 'verify --repair' removes it, and the next conversion makes it anew",
        StorePart.Blob => $"blob {Name}: {Message}; 'verify --repair' removes it, or links it anew where its layer is good",
        StorePart.Image => $"{Name}: {Message}; 'verify --repair' links what is missing anew, or removes the image from the index: then convert it again",
        _ => $"{Name}: {Message}; 'verify --repair' removes it: then convert the images again",
    };
}
