namespace CimConvert.Formats.Binary;

/// <summary>Files found by name, in a directory or inside another file.</summary>
internal interface IFileSet
{
    /// <summary>Opens a file of the set, or returns null where the set has none of that name. The caller disposes it.</summary>
    IRandomReader? TryOpen(string name);
}

/// <summary>Takes new files that grow side by side and get their names only when their content is known.</summary>
internal interface IFileSetWriter
{
    /// <summary>Starts a file. With <paramref name="digested"/> the set keeps a checksum of it, and it cannot be cut back.</summary>
    IAppendableFile Create(bool digested);

    /// <summary>Gives a file its name. It takes no more bytes.</summary>
    void Publish(IAppendableFile file, string name);
}

/// <summary>A file that only grows, but for its own newest bytes, which can be taken back.</summary>
internal interface IAppendableFile
{
    long Length { get; }

    void Append(ReadOnlySpan<byte> data);

    /// <summary>Says that nothing appended so far will be taken back.</summary>
    void Settle()
    {
    }

    /// <summary>
    /// Cuts the file back to <paramref name="length"/>, a multiple of the set's block size.
    /// Only for bytes appended since anything was last appended to another file of the set.
    /// </summary>
    void TruncateTo(long length);
}
