using System.Runtime.InteropServices;

namespace CimConvert.Formats.Regf;

/// <summary>
/// Writes a hive without holes. A first walk over the keys gives every cell its place, a second one emits the cells in the
/// same order, so the output is a plain stream and the same tree always makes the same bytes.
/// </summary>
/// <remarks>
/// Keys are written breadth first: the subkeys of a key are then neighbours in the order, and where they lie is a slice of
/// one array. The descriptors come last, when their counts are known.
/// </remarks>
internal sealed class HiveWriter
{
    private readonly Hive _hive;
    private readonly List<HiveKey> _keys = [];
    private readonly List<int> _parents = [];
    private readonly List<CellOffset> _places = [];
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

    /// <summary>Lists all keys breadth first and counts their descriptors; returns whether any key or value speaks of layers.</summary>
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
        _places.EnsureCapacity(_keys.Count);
        foreach (var key in _keys)
        {
            _places.Add(KeyEmitter.Measure(key, layout));
        }

        _security.Place(layout);
        return (int)layout.BinEnd;
    }

    private void Emit(bool layered, int binsSize, Stream output)
    {
        var version = layered ? HiveVersion.Layered : HiveVersion.Plain;
        BaseBlockWriter.Write(new BaseBlock(version, _hive.LastWritten, _hive.FileName, _places[0], binsSize), output);

        var emitter = new BinEmitter(output, _hive.LastWritten);
        var keyEmitter = new KeyEmitter(emitter);
        var places = CollectionsMarshal.AsSpan(_places);
        var firstSubkey = 1;
        for (var i = 0; i < _keys.Count; i++)
        {
            var key = _keys[i];
            var parent = _parents[i] < 0 ? CellOffset.None : places[_parents[i]];
            var at = keyEmitter.Emit(key, parent, _security.Find(key.Security), places.Slice(firstSubkey, key.Subkeys.Length));
            if (at != places[i])
            {
                throw new InvalidOperationException($"key '{key.Name}' was laid out at {places[i]} and emitted at {at}");
            }

            firstSubkey += key.Subkeys.Length;
        }

        _security.Emit(emitter);
        emitter.Flush();
    }
}
