using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

[Platform(Exclude = "Win", Reason = "uses a Unix shell to stand for any program")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class ServersTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(20);

    [Test]
    public async Task Output_error_and_exit_code_are_kept_apart()
    {
        ProcessResult result = await Shell("printf 'a\\000b'; echo oops >&2; exit 7");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.ExitCode, Is.EqualTo(7));
            Assert.That(result.OutputBytes, Is.EqualTo(new byte[] { (byte)'a', 0, (byte)'b' }));
            Assert.That(result.Error, Is.EqualTo("oops\n"));
            Assert.That(result.EnsureSuccess, Throws.InvalidOperationException.With.Message.Contains("oops"));
        }
    }

    [Test]
    public async Task Environment_and_directory_reach_the_process()
    {
        Dictionary<string, string?> environment = new(StringComparer.Ordinal) { ["KIT"] = "here", ["HOME"] = null };

        ProcessResult result = await ExternalProcess.RunAsync("/bin/sh", ["-c", "echo $KIT-${HOME-none}; pwd"], Second, environment, "/");

        Assert.That(result.Output, Is.EqualTo("here-none\n/\n"));
    }

    [Test]
    public async Task Lines_can_be_waited_for_while_the_process_runs()
    {
        await using ExternalProcess process = ExternalProcess.Start("/bin/sh", ["-c", "echo one; echo two; exec sleep 60"]);

        Assert.That(await process.Output.WaitForLineAsync(line => line.StartsWith("tw", StringComparison.Ordinal), Second), Is.EqualTo("two"));
        Assert.That(process.HasExited, Is.False);
    }

    [Test]
    public async Task A_line_that_never_comes_ends_with_the_process()
    {
        await using ExternalProcess process = ExternalProcess.Start("/bin/sh", ["-c", "echo one"]);

        Assert.That(async () => await process.Output.WaitForLineAsync(_ => false, Second), Throws.InvalidOperationException);
    }

    [Test]
    public async Task An_interrupt_reaches_the_handler_and_a_kill_does_not()
    {
        const string Script = "trap 'echo caught; exit 130' INT; echo ready; while :; do sleep 0.05; done";
        await using ExternalProcess interrupted = ExternalProcess.Start("/bin/sh", ["-c", Script]);
        await using ExternalProcess killed = ExternalProcess.Start("/bin/sh", ["-c", Script]);
        await interrupted.Output.WaitForLineAsync(line => line == "ready", Second);
        await killed.Output.WaitForLineAsync(line => line == "ready", Second);

        await interrupted.InterruptAsync();
        killed.Kill();
        ProcessResult first = await interrupted.WaitAsync(Second);
        ProcessResult second = await killed.WaitAsync(Second);

        using (Assert.EnterMultipleScope())
        {
            Assert.That((first.ExitCode, first.Output), Is.EqualTo((130, "ready\ncaught\n")));
            Assert.That((second.ExitCode, second.Output), Is.EqualTo((137, "ready\n")));
        }
    }

    [Test]
    public async Task A_process_that_does_not_end_in_time_is_killed()
    {
        await using ExternalProcess process = ExternalProcess.Start("/bin/sh", ["-c", "echo started; exec sleep 60"]);

        Assert.That(async () => await process.WaitAsync(TimeSpan.FromMilliseconds(300)), Throws.TypeOf<TimeoutException>().With.Message.Contains("sleep 60"));
        Assert.That((await process.WaitAsync(Second)).ExitCode, Is.EqualTo(137));
    }

    [Test]
    public void A_missing_tool_is_a_reason_to_ignore() =>
        Assert.That(() => Tools.Require("no-such-program-anywhere"), Throws.TypeOf<IgnoreException>().With.Message.Contains("not installed"));

    private static Task<ProcessResult> Shell(string script) => ExternalProcess.RunAsync("/bin/sh", ["-c", script], Second);
}
