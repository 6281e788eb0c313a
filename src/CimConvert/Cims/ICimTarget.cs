namespace CimConvert.Cims;

/// <summary>Where a managed image is written: under its final name only when it is whole. Disposed before that, nothing is left of it.</summary>
internal interface ICimTarget : IDisposable
{
    /// <summary>Makes what was written durable, and gives it its name.</summary>
    CommittedCim Finish(BlockCimOptions options, CancellationToken cancellationToken);
}
