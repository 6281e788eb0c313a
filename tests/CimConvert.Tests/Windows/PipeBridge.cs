using System.Globalization;
using CimConvert.TestKit.Servers;

namespace CimConvert.Tests.Windows;

/// <summary>
/// A named pipe in a Wine prefix that leads to a Unix socket of this machine, which programs under Wine cannot connect to: by way of
/// a TCP port (tests/Windows/pipe-bridge.c).
/// </summary>
internal sealed class PipeBridge : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly SocketForwarder _forwarder;
    private readonly string _name;
    private ExternalProcess? _program;

    private PipeBridge(string socket)
    {
        _forwarder = new SocketForwarder(socket);

        // As no other has this port, none has this name.
        _name = $"cimconvert-{_forwarder.Port.ToString(CultureInfo.InvariantCulture)}";
    }

    /// <summary>As <c>--containerd</c> takes it.</summary>
    public string Address => "npipe:////./pipe/" + _name;

    /// <summary>Starts one, that listens.</summary>
    public static async Task<PipeBridge> StartAsync(WinePrefix prefix, string socket)
    {
        var bridge = new PipeBridge(socket);
        try
        {
            // Once more where Wine refused the first: see WinePrefix.
            if (!await bridge.ListenAsync(prefix) && !await bridge.ListenAsync(prefix))
            {
                throw new InvalidOperationException($"the bridge of pipes ended: {bridge._program!.Error}");
            }

            return bridge;
        }
        catch
        {
            await bridge.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await _forwarder.DisposeAsync();
    }

    /// <returns>Whether it listens, and did not end.</returns>
    private async Task<bool> ListenAsync(WinePrefix prefix)
    {
        await EndAsync();
        _program = prefix.Start(WindowsProgram.Bridge, [_name, _forwarder.Port.ToString(CultureInfo.InvariantCulture)]);
        using var late = new CancellationTokenSource(s_patience);
        while (!_program.Output.ToString().Contains("ready", StringComparison.Ordinal))
        {
            if (_program.HasExited)
            {
                return false;
            }

            await Task.Delay(20, late.Token);
        }

        return true;
    }

    private async Task EndAsync()
    {
        if (_program is not null)
        {
            await _program.DisposeAsync();
            _program = null;
        }
    }
}
