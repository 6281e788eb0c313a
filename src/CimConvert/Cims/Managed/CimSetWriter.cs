using CimConvert.Formats.Binary;

namespace CimConvert.Cims.Managed;

/// <summary>
/// Writes a CIM's standard files into a folder. Disposing closes the files that were not published, and leaves them there.
/// </summary>
internal sealed class CimSetWriter(string folder) : IFileSetWriter, IDisposable
{
    private const int BufferSize = 256 * 1024;

    private readonly List<GrowingFile> _files = [];

    public IAppendableFile Create(bool digested)
    {
        var file = new GrowingFile(Path.Combine(folder, $"file{_files.Count}.new"));
        _files.Add(file);
        return file;
    }

    public void Publish(IAppendableFile file, string name) => ((GrowingFile)file).Finish(Path.Combine(folder, name));

    public void Dispose() => _files.ForEach(file => file.Dispose());

    private sealed class GrowingFile(string path) : IAppendableFile, IDisposable
    {
        private readonly FileStream _stream = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferSize);

        public long Length => _stream.Position;

        public void Append(ReadOnlySpan<byte> data) => _stream.Write(data);

        public void TruncateTo(long length) => _stream.SetLength(length);

        public void Finish(string finalPath)
        {
            _stream.Flush(flushToDisk: true);
            _stream.Dispose();
            File.Move(path, finalPath, overwrite: false);
        }

        public void Dispose()
        {
            try
            {
                _stream.Dispose();
            }
            catch (IOException)
            {
                // What was still buffered does not fit on a full disk, and nobody will read it. The file is closed all the same.
            }
        }
    }
}
