using Microsoft.Win32.SafeHandles;

namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>One file of a CIM, read at offsets and never past its end.</summary>
internal sealed class CimFile(string path) : IDisposable
{
    private readonly SafeFileHandle handle = OpenOrSayWhich(path);

    public long Length => RandomAccess.GetLength(handle);

    public byte[] Read(long offset, int length, string what)
    {
        Check(offset, length, what);
        byte[] bytes = new byte[length];
        ReadExactly(offset, bytes);
        return bytes;
    }

    public void ReadExactly(long offset, Span<byte> target)
    {
        int done = 0;
        while (done < target.Length)
        {
            int read = RandomAccess.Read(handle, target[done..], offset + done);
            done += read > 0 ? read : throw Error("became shorter while it was read");
        }
    }

    /// <summary>Refuses what does not lie whole in the file.</summary>
    public void Check(long offset, long length, string what)
    {
        if (offset < 0 || length < 0 || offset > Length || length > Length - offset)
        {
            throw Error($"ends at {Length}, inside or before the {what} of {length} bytes at {offset}");
        }
    }

    public CimWalkException Error(string message) => new($"{Path.GetFileName(path)} {message}");

    public void Dispose() => handle.Dispose();

    private static SafeFileHandle OpenOrSayWhich(string path)
    {
        try
        {
            return File.OpenHandle(path);
        }
        catch (FileNotFoundException)
        {
            throw new CimWalkException("there is no file " + path);
        }
    }
}
