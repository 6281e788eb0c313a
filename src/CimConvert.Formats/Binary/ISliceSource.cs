namespace CimConvert.Formats.Binary;

/// <summary>Bytes that come as slices of buffers that somebody else owns: who reads them need not copy them.</summary>
internal interface ISliceSource
{
    /// <summary>The next bytes, as many as lie in one piece; empty only at the end. They are good until the next call.</summary>
    ReadOnlyMemory<byte> Next();
}
