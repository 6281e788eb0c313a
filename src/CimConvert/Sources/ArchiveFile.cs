using CimConvert.Formats.Binary;

namespace CimConvert.Sources;

/// <summary>A file inside an uncompressed tar.</summary>
/// <param name="ArchivePath">Path of the tar.</param>
/// <param name="Name">The file's name in the tar.</param>
/// <param name="Offset">Byte offset of its data in the tar.</param>
/// <param name="Size">Bytes of its data.</param>
internal sealed record ArchiveFile(string ArchivePath, string Name, long Offset, long Size)
{
    /// <summary>Opens the file's data at an offset. Each stream opens the tar separately.</summary>
    public Stream Open(long offset) => new Section(
        new FileStream(ArchivePath, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan) { Position = Offset + offset },
        Size - offset);

    private sealed class Section(FileStream file, long length) : ForwardStream
    {
        private long _left = length;

        public override long Length { get; } = length;

        public override int Read(Span<byte> buffer)
        {
            var read = file.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
            _left -= read;
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                file.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
