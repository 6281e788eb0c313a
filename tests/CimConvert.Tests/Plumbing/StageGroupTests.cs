using CimConvert.Plumbing;
using NUnit.Framework;

namespace CimConvert.Tests.Plumbing;

public class StageGroupTests
{
    [Test]
    public async Task All_stages_are_awaited()
    {
        using var stages = new StageGroup(CancellationToken.None);
        var (first, second) = (false, false);
        stages.Start(async () =>
        {
            await Task.Yield();
            first = true;
        });
        stages.StartThread(() => second = true);
        await stages.CompleteAsync();
        Assert.That((first, second), Is.EqualTo((true, true)));
    }

    [Test]
    public void A_failure_cancels_the_others_and_is_the_one_reported()
    {
        using var stages = new StageGroup(CancellationToken.None);
        stages.Start(() => Task.Delay(Timeout.Infinite, stages.Cancellation));
        stages.Start(() => throw new InvalidDataException("mine"));
        Assert.That(stages.CompleteAsync, Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("mine"));
    }

    /// <summary>Which of two failures comes first is a matter of timing; which is reported must not be.</summary>
    [Test]
    public void Of_two_failures_the_earlier_stage_is_reported()
    {
        using var stages = new StageGroup(CancellationToken.None);
        var secondFailed = new TaskCompletionSource();
        stages.Start(async () =>
        {
            await secondFailed.Task;
            throw new InvalidDataException("upstream");
        });
        stages.Start(() =>
        {
            secondFailed.SetResult();
            throw new InvalidDataException("downstream");
        });
        Assert.That(stages.CompleteAsync, Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("upstream"));
    }

    [Test]
    public void The_callers_cancellation_is_reported_as_that()
    {
        using var cancellationToken = new CancellationTokenSource();
        using var stages = new StageGroup(cancellationToken.Token);
        stages.Start(() => Task.Delay(Timeout.Infinite, stages.Cancellation));
        cancellationToken.Cancel();
        Assert.That(stages.CompleteAsync, Throws.InstanceOf<OperationCanceledException>());
    }
}
