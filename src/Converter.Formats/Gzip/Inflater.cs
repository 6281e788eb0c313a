namespace Converter.Formats.Gzip;

/// <summary>Decodes one DEFLATE stream after another (RFC 1951), piece by piece, into a window.</summary>
internal sealed class Inflater(BitInput input, OutputWindow window)
{
    private const int MaxLiteralSymbols = 286;
    private const int MaxDistanceSymbols = 30;
    private const int LengthCodeBits = 7;

    private readonly DecodeTables _own = new();
    private readonly uint[] _lengthCode = new uint[1 << LengthCodeBits];
    private DecodeTables? _tables;
    private int _storedLeft;
    private bool _inLastBlock;

    private static ReadOnlySpan<byte> LengthCodeOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>A new stream starts at the input's next bit.</summary>
    public void Begin()
    {
        (_tables, _storedLeft, _inLastBlock) = (null, 0, false);
        window.ForgetHistory();
    }

    /// <summary>Decodes until the window is full, or the stream ends.</summary>
    /// <returns>Whether there is more to come.</returns>
    public bool Run()
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
        var end = SymbolLoop.Run(input, window, _tables!);
        input.ThrowIfOverrun();
        switch (end)
        {
            case SymbolLoopEnd.EndOfBlock:
                _tables = null;
                break;
            case SymbolLoopEnd.BadLiteral:
                throw input.Bad("a code that stands for no literal or length");
            case SymbolLoopEnd.BadDistance:
                throw input.Bad("a code that stands for no distance");
            case SymbolLoopEnd.DistanceTooFar:
                throw input.Bad("a distance beyond the start of the data");
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
        input.Refill();
        _inLastBlock = input.Take(1) != 0;
        switch (input.Take(2))
        {
            case 0:
                BeginStored();
                break;
            case 1:
                _tables = DecodeTables.Fixed;
                break;
            case 2:
                ReadTables();
                _tables = _own;
                break;
            default:
                throw input.Bad("a block of the reserved type");
        }
    }

    private void BeginStored()
    {
        input.AlignToByte();
        var lengths = input.TakeUInt32();
        if ((ushort)~lengths != lengths >> 16)
        {
            throw input.Bad("a stored block whose length is not confirmed");
        }

        _storedLeft = (ushort)lengths;
    }

    private void ReadTables()
    {
        input.Refill();
        var literals = (int)input.Take(5) + 257;
        var distances = (int)input.Take(5) + 1;
        if (literals > MaxLiteralSymbols || distances > MaxDistanceSymbols)
        {
            throw input.Bad("more symbols than there are");
        }

        ReadLengthCode((int)input.Take(4) + 4);
        Span<byte> lengths = stackalloc byte[MaxLiteralSymbols + MaxDistanceSymbols];
        lengths = lengths[..(literals + distances)];
        ReadLengths(lengths);
        if (lengths[256] == 0)
        {
            throw input.Bad("a block without a code for its end");
        }

        if (!_own.TryFillLiterals(lengths[..literals]))
        {
            throw input.Bad("literal code lengths that make no code");
        }

        if (!_own.TryFillDistances(lengths[literals..]))
        {
            throw input.Bad("distance code lengths that make no code");
        }
    }

    private void ReadLengthCode(int count)
    {
        Span<byte> lengths = stackalloc byte[LengthCodeOrder.Length];
        lengths.Clear();
        for (var i = 0; i < count; i++)
        {
            input.Refill();
            lengths[LengthCodeOrder[i]] = (byte)input.Take(3);
        }

        if (!DecodeTable.TryFill(lengths, DecodeEntry.CodeLengths, LengthCodeBits, _lengthCode))
        {
            throw input.Bad("code lengths of code lengths that make no code");
        }
    }

    private void ReadLengths(Span<byte> lengths)
    {
        for (var i = 0; i < lengths.Length;)
        {
            input.Refill();
            var entry = _lengthCode[input.Bits & ((1 << LengthCodeBits) - 1)];
            input.Skip((int)(entry & 0x3f));
            if ((entry & DecodeEntry.Special) != 0)
            {
                throw input.Bad("a code that stands for no code length");
            }

            var symbol = entry >> DecodeEntry.ValueShift;
            if (symbol < 16)
            {
                lengths[i++] = (byte)symbol;
                continue;
            }

            var repeated = (byte)0;
            if (symbol == 16)
            {
                repeated = i > 0 ? lengths[i - 1] : throw input.Bad("a first code length that repeats the one before");
            }

            var times = symbol switch
            {
                16 => 3 + input.Take(2),
                17 => 3 + input.Take(3),
                _ => 11 + input.Take(7),
            };
            if (times > lengths.Length - i)
            {
                throw input.Bad("more code lengths than symbols");
            }

            lengths.Slice(i, (int)times).Fill(repeated);
            i += (int)times;
        }
    }
}
