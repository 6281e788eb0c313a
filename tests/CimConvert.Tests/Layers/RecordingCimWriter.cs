using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CimConvert.Cims;
using CimConvert.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>
/// Writes down every call as the parity data's recorder does (Data/Parity/README.md, "Format of a trace"),
/// and holds the caller to the interface: one open stream at a time, filled to its size.
/// </summary>
internal sealed class RecordingCimWriter : ICimWriter
{
    private const ulong FnvStart = 0x14650fb0739d0383;
    private const ulong FnvPrime = 1099511628211;

    private long? _size;
    private long _written;
    private ulong _hash;

    public List<string> Lines { get; } = [];

    public NameHandling Names { get; init; }

    /// <summary>Fails the call of this number, as a full disk would.</summary>
    public int FailAt { get; init; } = int.MaxValue;

    public void CreateFile(CimPath path, in CimFileMetadata metadata)
    {
        var m = metadata;
        Record(string.Create(CultureInfo.InvariantCulture,
            $$"""{"op":"CreateFile","path":"{{Text(path)}}","attr":{{m.Attributes}},"size":{{m.Size}},"ct":{{m.CreationTime}},"wt":{{m.LastWriteTime}},"cht":{{m.ChangeTime}},"at":{{m.LastAccessTime}},"sd":"{{Hex(m.SecurityDescriptor)}}","rp":"{{Hex(m.Reparse)}}","ea":"{{Hex(m.ExtendedAttributes)}}"}"""));
        Open(m.Size);
    }

    public void CreateAlternateStream(CimPath file, string name, long size)
    {
        Record(string.Create(CultureInfo.InvariantCulture, $$"""{"op":"CreateAlternateStream","path":"{{Text(file)}}:{{name}}:$DATA","size":{{size}}}"""));
        Open(size);
    }

    public void Write(ReadOnlySpan<byte> data)
    {
        Assert.That(_size, Is.Not.Null, "a write without an open stream");
        _written += data.Length;
        foreach (var value in data)
        {
            _hash = (_hash ^ value) * FnvPrime;
        }
    }

    public void CloseStream()
    {
        Assert.That(_written, Is.EqualTo(_size), "the stream was declared with another size");
        _size = null;
        Record(string.Create(CultureInfo.InvariantCulture, $$"""{"op":"CloseStream","bytes":{{_written}},"fnv":"{{_hash:x16}}"}"""));
    }

    public void CreateHardLink(CimPath newPath, CimPath existingPath) =>
        Record($$"""{"op":"CreateHardLink","new":"{{Text(newPath)}}","old":"{{Text(existingPath)}}"}""");

    public void CreateMergeLink(CimPath newPath, CimPath targetPath) =>
        Record($$"""{"op":"CreateMergeLink","new":"{{Text(newPath)}}","old":"{{Text(targetPath)}}"}""");

    public void Tombstone(CimPath path) => Record($$"""{"op":"TombstoneFile","path":"{{Text(path)}}"}""");

    public void MakeOpaque(CimPath directory) => Record($$"""{"op":"MakeOpaque","path":"{{Text(directory)}}"}""");

    public void Delete(CimPath path) => Record($$"""{"op":"DeletePath","path":"{{Text(path)}}"}""");

    public CommittedCim Commit(CancellationToken cancellationToken) => throw new AssertionException("an import does not commit");

    public void Dispose()
    {
    }

    private void Record(string line)
    {
        Assert.That(_size, Is.Null, "a call while a stream is open");
        if (Lines.Count == FailAt)
        {
            throw new IOException("no space left");
        }

        Lines.Add(line);
    }

    private void Open(long size) => (_size, _written, _hash) = (size, 0, FnvStart);

    private static string Text(CimPath path) => JsonEncodedText.Encode(path.Value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);
}
