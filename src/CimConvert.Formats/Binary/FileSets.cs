namespace CimConvert.Formats.Binary;

/// <summary>Opens files by name, in a directory or inside another file.</summary>
internal interface IFileSet
{
    /// <summary>Opens a file of the set; null if it has none of that name. The caller disposes it.</summary>
    IRandomReader? TryOpen(string name);
}

/// <summary>Creates files that grow side by side and get their names once their content is complete.</summary>
internal interface IFileSetWriter
{
    /// <summary>Starts a file. With <paramref name="digested"/> the set stores a digest of it, and it cannot be truncated.</summary>
    IAppendableFile Create(bool digested);

    /// <summary>Names a file and finishes it: it can no longer be appended to.</summary>
    void Publish(IAppendableFile file, string name);
}

/// <summary>A file that is appended to. Its newest bytes can be taken back.</summary>
internal interface IAppendableFile
{
    long Length { get; }

    void Append(ReadOnlySpan<byte> data);

    /// <summary>Promises that nothing appended so far will be taken back.</summary>
    void Settle()
    {
    }

    /// <summary>
    /// Truncates the file to <paramref name="length"/>, a multiple of the set's block size. Only allowed for bytes appended
    /// after the last append to any other file of the set.
    /// </summary>
    void TruncateTo(long length);
}
