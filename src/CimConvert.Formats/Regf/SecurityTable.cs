namespace CimConvert.Formats.Regf;

/// <summary>The distinct security descriptors of a hive being written, in the order of first use, with their reference counts.</summary>
internal sealed class SecurityTable
{
    private readonly Dictionary<HiveSecurity, int> _index = [];
    private readonly List<Entry> _entries = [];

    public void Count(HiveSecurity? security)
    {
        if (security is null)
        {
            return;
        }

        if (_index.TryGetValue(security, out var known))
        {
            _entries[known] = _entries[known] with { References = checked(_entries[known].References + 1) };
            return;
        }

        _index.Add(security, _entries.Count);
        _entries.Add(new Entry(security, References: 1, CellOffset.None));
    }

    public void Place(BinLayout layout)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            _entries[i] = _entries[i] with { Cell = layout.Place(CellPayload(_entries[i])) };
        }
    }

    public CellOffset Find(HiveSecurity? security) => security is null ? CellOffset.None : _entries[_index[security]].Cell;

    /// <summary>Emits the cells as a ring: each refers to the previous and the next, the last one to the first.</summary>
    public void Emit(BinEmitter emitter)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            var entry = _entries[i];
            var descriptor = entry.Security.Descriptor.Span;
            var cell = new CellWriter(emitter.Add(CellPayload(entry), out _));
            cell.U16(SecurityField.Signature, Signatures.Security);
            cell.Offset(SecurityField.Next, _entries[(i + 1) % _entries.Count].Cell);
            cell.Offset(SecurityField.Previous, _entries[(i + _entries.Count - 1) % _entries.Count].Cell);
            cell.U32(SecurityField.ReferenceCount, entry.References);
            cell.U32(SecurityField.DescriptorSize, (uint)descriptor.Length);
            descriptor.CopyTo(cell.Rest(SecurityField.Descriptor));
        }
    }

    private static int CellPayload(in Entry entry) => SecurityField.Descriptor + entry.Security.Descriptor.Length;

    private readonly record struct Entry(HiveSecurity Security, uint References, CellOffset Cell);
}
