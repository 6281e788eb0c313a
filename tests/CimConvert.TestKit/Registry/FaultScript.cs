namespace CimConvert.TestKit.Registry;

/// <summary>The faults still to come. Counted under a lock, since a client may ask for several things at once.</summary>
public sealed class FaultScript
{
    private readonly Lock _lock = new();
    private readonly List<Pending> _pending = [];

    public void Add(Fault fault)
    {
        lock (_lock)
        {
            _pending.Add(new Pending(fault) { Skip = fault.Skip, Times = fault.Times });
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _pending.Clear();
        }
    }

    /// <summary>The faults of this request, counted against each.</summary>
    internal IReadOnlyList<Fault> Take(string method, string path)
    {
        var struck = new List<Fault>();
        lock (_lock)
        {
            foreach (var pending in _pending.Where(pending =>
                path.Contains(pending.Fault.PathContains, StringComparison.Ordinal) && (pending.Fault.Method ?? method) == method))
            {
                if (pending.Skip > 0)
                {
                    pending.Skip--;
                }
                else if (pending.Times > 0)
                {
                    pending.Times -= pending.Times == Fault.Always ? 0 : 1;
                    struck.Add(pending.Fault);
                }
            }
        }

        return struck;
    }

    private sealed class Pending(Fault fault)
    {
        public Fault Fault { get; } = fault;

        public int Skip { get; set; }

        public int Times { get; set; }
    }
}
