namespace CimConvert.Formats.Regf;

/// <summary>A self-relative security descriptor as bytes. Keys with equal descriptors share one cell when written.</summary>
internal sealed class HiveSecurity : IEquatable<HiveSecurity>
{
    private readonly int _hash;

    public HiveSecurity(ReadOnlyMemory<byte> descriptor)
    {
        Descriptor = descriptor;
        var hash = default(HashCode);
        hash.AddBytes(descriptor.Span);
        _hash = hash.ToHashCode();
    }

    public ReadOnlyMemory<byte> Descriptor { get; }

    public bool Equals(HiveSecurity? other) =>
        ReferenceEquals(this, other) || (other is not null && Descriptor.Span.SequenceEqual(other.Descriptor.Span));

    public override bool Equals(object? obj) => Equals(obj as HiveSecurity);

    public override int GetHashCode() => _hash;
}
