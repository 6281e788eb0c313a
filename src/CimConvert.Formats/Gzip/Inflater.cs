namespace CimConvert.Formats.Gzip;

/// <summary>Decodes DEFLATE streams (RFC 1951), one after another, piece by piece, into a window.</summary>
internal sealed class Inflater(BitInput input, OutputWindow window)
{
    private readonly BlockHeader _header = new(input);
    private DecodeTables? _tables;
    private int _storedLeft;
    private bool _inLastBlock;

    /// <summary>Whether the input is at the start of a block.</summary>
    public bool IsAtBlock => _tables is null && _storedLeft == 0 && !_inLastBlock;

    /// <summary>Starts a new stream at the input's next bit.</summary>
    public void Begin()
    {
        GoOn(isEnd: false);
        window.ForgetHistory();
    }

    /// <summary>Continues at the input's next bit, after what the window holds: with a block, or with the end of the stream.</summary>
    public void GoOn(bool isEnd) => (_tables, _storedLeft, _inLastBlock) = (null, 0, isEnd);

    /// <summary>Decodes until the window is full, a block starts at or behind <paramref name="stop"/>, or the stream ends.</summary>
    /// <param name="stop">In bits of the compressed stream.</param>
    /// <returns>Whether the stream goes on.</returns>
    public bool Run(long stop = long.MaxValue)
    {
        while (!window.IsFull)
        {
            if (_tables is not null)
            {
                RunSymbols();
            }
            else if (_storedLeft > 0)
            {
                CopyStored();
            }
            else if (_inLastBlock)
            {
                return false;
            }
            else if (input.BitOffset >= stop)
            {
                return true;
            }
            else
            {
                BeginBlock();
            }
        }

        return true;
    }

    private void RunSymbols()
    {
        input.FillBuffer();
        var end = SymbolLoop.Run<byte>(input, window, _tables!);
        input.ThrowIfOverrun();
        if (SymbolLoop.Explain(end) is { } wrong)
        {
            throw input.Bad(wrong);
        }

        if (end == SymbolLoopEnd.EndOfBlock)
        {
            _tables = null;
        }
    }

    private void CopyStored()
    {
        var bytes = input.TakeBytes(Math.Min(_storedLeft, window.Room));
        window.Append(bytes);
        _storedLeft -= bytes.Length;
    }

    private void BeginBlock()
    {
        if (_header.Read() is { } wrong)
        {
            throw input.Bad(wrong);
        }

        (_tables, _storedLeft, _inLastBlock) = (_header.Tables, _header.StoredLength, _header.IsLast);
    }
}
