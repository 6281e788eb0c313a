using Microsoft.Win32.SafeHandles;

namespace CimConvert.Formats.Binary;

/// <summary>Reads a file that others may read, write or delete meanwhile. Owns its handle.</summary>
internal sealed class FileRandomReader : IRandomReader
{
    private readonly SafeFileHandle _handle;

    public FileRandomReader(string path)
    {
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
        Length = RandomAccess.GetLength(_handle);
    }

    public long Length { get; }

    public void ReadAt(long offset, Span<byte> destination)
    {
        this.CheckRange(offset, destination.Length);
        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(_handle, destination, offset);
            if (read == 0)
            {
                throw new InvalidDataException($"the file ended at byte {offset} while it was read; it had {Length} bytes when opened");
            }

            offset += read;
            destination = destination[read..];
        }
    }

    public void Dispose() => _handle.Dispose();
}
