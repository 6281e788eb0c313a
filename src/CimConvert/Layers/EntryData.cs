namespace CimConvert.Layers;

/// <summary>
/// The bytes of the file or stream that was added last: exactly as many as it was declared to hold. They go into the CIM, or, for a
/// standard file, into its file in the staging folder.
/// </summary>
internal sealed class EntryData(LayerCim cim) : IDisposable
{
    private FileStream? _stagedFile;
    private string? _name;
    private long _declared;
    private long _left;

    /// <summary>Begins a file or stream, whose stream the CIM has open if there is no staged file.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="size">Bytes it is declared to hold.</param>
    /// <param name="stagedFile">The file on disk that takes the bytes; null for the CIM. Closed here.</param>
    public void Begin(string name, long size, FileStream? stagedFile)
    {
        (_name, _declared, _left, _stagedFile) = (name, size, size, stagedFile);
        if (size == 0)
        {
            Close();
        }
    }

    /// <exception cref="InvalidOperationException">The last call did not add a file or stream.</exception>
    public void ThrowIfNotBegun()
    {
        if (_name is null)
        {
            throw new InvalidOperationException("there is no file to write to: the last call did not add one");
        }
    }

    /// <exception cref="InvalidDataException">More bytes than declared.</exception>
    public void Write(ReadOnlySpan<byte> data)
    {
        if (data.Length > _left)
        {
            throw new InvalidDataException($"more bytes were written to '{_name}' than the {_declared} it was declared to hold");
        }

        if (data.IsEmpty)
        {
            return;
        }

        if (_stagedFile is { } file)
        {
            file.Write(data);
        }
        else
        {
            cim.Write(data);
        }

        _left -= data.Length;
        if (_left == 0)
        {
            Close();
        }
    }

    /// <summary>Ends the file or stream, if one was begun: another call follows.</summary>
    /// <exception cref="InvalidDataException">Fewer bytes than declared.</exception>
    public void End()
    {
        if (_left > 0)
        {
            throw new InvalidDataException($"{_declared - _left} bytes were written to '{_name}', which was declared to hold {_declared}");
        }

        _name = null;
    }

    public void Dispose() => _stagedFile?.Dispose();

    private void Close()
    {
        if (_stagedFile is { } file)
        {
            _stagedFile = null;
            file.Dispose();
        }
        else
        {
            cim.CloseStream();
        }
    }
}
