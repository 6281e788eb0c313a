namespace CimConvert.Tests.Layers;

/// <summary>
/// The random numbers of CPython's <c>random.Random(seed)</c>: MT19937, seeded by an array of one word
/// (https://github.com/python/cpython/blob/main/Modules/_randommodule.c).
/// </summary>
internal sealed class PythonRandom
{
    private const int Words = 624;
    private const int Distance = 397;

    private readonly uint[] _state = new uint[Words];
    private int _next = Words;

    public PythonRandom(uint seed)
    {
        _state[0] = 19650218;
        for (var i = 1u; i < Words; i++)
        {
            _state[i] = (1812433253 * Above(i - 1)) + i;
        }

        for (uint i = 1, left = Words; left > 0; left--, i = Following(i))
        {
            _state[i] = (_state[i] ^ (1664525 * Above(i - 1))) + seed;
        }

        for (uint i = 2, left = Words - 1; left > 0; left--, i = Following(i))
        {
            _state[i] = (_state[i] ^ (1566083941 * Above(i - 1))) - i;
        }

        _state[0] = 1u << 31;
    }

    /// <summary><c>randint(1, highest)</c></summary>
    public int FromOne(int highest)
    {
        var bits = sizeof(uint) * 8 - (int)uint.LeadingZeroCount((uint)highest);
        uint number;
        do
        {
            number = Word() >> (32 - bits);
        }
        while (number >= highest);
        return (int)number + 1;
    }

    /// <summary><c>randbytes(buffer.Length)</c></summary>
    public void Fill(Span<byte> buffer)
    {
        for (; buffer.Length >= sizeof(uint); buffer = buffer[sizeof(uint)..])
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(buffer, Word());
        }

        if (buffer.Length > 0)
        {
            var word = Word() >> (8 * (sizeof(uint) - buffer.Length));
            for (var i = 0; i < buffer.Length; i++)
            {
                buffer[i] = (byte)(word >> (8 * i));
            }
        }
    }

    /// <summary>A word of the state, its high bits mixed in, as seeding needs it.</summary>
    private uint Above(uint i) => _state[i] ^ (_state[i] >> 30);

    /// <summary>The next word to seed; the first one takes over the last one's value on the way round.</summary>
    private uint Following(uint i)
    {
        if (i + 1 < Words)
        {
            return i + 1;
        }

        _state[0] = _state[Words - 1];
        return 1;
    }

    private uint Word()
    {
        if (_next == Words)
        {
            for (var i = 0; i < Words; i++)
            {
                var joined = (_state[i] & 0x8000_0000) | (_state[(i + 1) % Words] & 0x7FFF_FFFF);
                _state[i] = _state[(i + Distance) % Words] ^ (joined >> 1) ^ ((joined & 1) * 0x9908_B0DF);
            }

            _next = 0;
        }

        var word = _state[_next++];
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C_5680;
        word ^= (word << 15) & 0xEFC6_0000;
        return word ^ (word >> 18);
    }
}
