using System.Runtime.InteropServices;

namespace CimConvert.Formats.Regf;

/// <summary>
/// Writes a compact hive, with free cells at the ends of bins only. A first pass over the keys assigns every cell an offset, a second
/// one emits the cells in the same order, so the output is a forward-only stream and the same tree always gives the same bytes.
/// </summary>
/// <remarks>
/// Keys are written breadth first, so that a key's subkeys are consecutive and their offsets are a slice of one array. Security
/// descriptors come last, when their reference counts are known.
/// </remarks>
internal sealed class HiveWriter
{
    private readonly Hive _hive;
    private readonly List<HiveKey> _keys = [];
    private readonly List<int> _parents = [];
    private readonly List<CellOffset> _offsets = [];
    private readonly SecurityTable _security = new();

    private HiveWriter(Hive hive) => _hive = hive;

    /// <exception cref="InvalidDataException">The hive is larger than the format allows.</exception>
    public static void Write(Hive hive, Stream output)
    {
        ArgumentNullException.ThrowIfNull(hive);
        ArgumentNullException.ThrowIfNull(output);
        var writer = new HiveWriter(hive);
        var layered = writer.OrderKeys();
        var binsSize = writer.PlaceCells();
        writer.Emit(layered, binsSize, output);
    }

    /// <summary>Lists all keys breadth first and counts their security descriptors. True if any key or value has a layer mark.</summary>
    private bool OrderKeys()
    {
        var layered = false;
        Enqueue(_hive.Root, parent: -1);
        for (var i = 0; i < _keys.Count; i++)
        {
            layered |= LayerMarks.On(_keys[i]);
            _security.Count(_keys[i].Security);
            foreach (var subkey in _keys[i].Subkeys)
            {
                Enqueue(subkey, i);
            }
        }

        return layered;
    }

    private void Enqueue(HiveKey key, int parent)
    {
        _keys.Add(key);
        _parents.Add(parent);
    }

    private int PlaceCells()
    {
        var layout = new BinLayout();
        _offsets.EnsureCapacity(_keys.Count);
        foreach (var key in _keys)
        {
            _offsets.Add(KeyEmitter.Measure(key, layout));
        }

        _security.Place(layout);
        return (int)layout.BinEnd;
    }

    private void Emit(bool layered, int binsSize, Stream output)
    {
        var version = layered ? HiveVersion.Layered : HiveVersion.Plain;
        BaseBlockWriter.Write(new BaseBlock(version, _hive.LastWritten, _hive.FileName, _offsets[0], binsSize), output);

        var emitter = new BinEmitter(output, _hive.LastWritten);
        var keyEmitter = new KeyEmitter(emitter);
        var offsets = CollectionsMarshal.AsSpan(_offsets);
        var firstSubkey = 1;
        for (var i = 0; i < _keys.Count; i++)
        {
            var key = _keys[i];
            var parent = _parents[i] < 0 ? CellOffset.None : offsets[_parents[i]];
            var emitted = keyEmitter.Emit(key, parent, _security.Find(key.Security), offsets.Slice(firstSubkey, key.Subkeys.Length));
            if (emitted != offsets[i])
            {
                throw new InvalidOperationException($"key '{key.Name}' was laid out at {offsets[i]} and emitted at {emitted}");
            }

            firstSubkey += key.Subkeys.Length;
        }

        _security.Emit(emitter);
        emitter.Flush();
    }
}
