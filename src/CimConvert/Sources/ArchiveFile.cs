using CimConvert.Formats.Binary;

namespace CimConvert.Sources;

/// <summary>A file inside an uncompressed tar.</summary>
/// <param name="ArchivePath">The tar.</param>
/// <param name="Name">Its name in it.</param>
/// <param name="Offset">Where its data starts in the tar, in bytes.</param>
/// <param name="Size">In bytes.</param>
internal sealed record ArchiveFile(string ArchivePath, string Name, long Offset, long Size)
{
    /// <summary>Its data from an offset on; each stream has the archive open for itself.</summary>
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
