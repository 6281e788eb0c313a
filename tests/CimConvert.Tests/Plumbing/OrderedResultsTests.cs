using CimConvert.Plumbing;
using NUnit.Framework;

namespace CimConvert.Tests.Plumbing;

public class OrderedResultsTests
{
    [Test]
    public void Results_come_in_the_order_in_which_the_work_began()
    {
        var results = new OrderedResults<string>(places: 3);
        var (first, second) = (results.Begin(), results.Begin());
        results.End();
        second.SetResult("second");
        first.SetResult("first");
        Assert.That(results.Take(CancellationToken.None), Is.EqualTo("first"));
        Assert.That(results.Take(CancellationToken.None), Is.EqualTo("second"));
        Assert.That(results.Take(CancellationToken.None), Is.Null);
        Assert.That(results.WaitForPlace(CancellationToken.None), Is.False);
    }

    [Test]
    public void No_more_work_begins_than_there_are_places()
    {
        var results = new OrderedResults<string>(places: 1);
        Assert.That(results.WaitForPlace(CancellationToken.None), Is.True);
        results.Begin().SetResult("first");
        Assert.That(() => results.Begin(), Throws.InvalidOperationException);
        Assert.That(() => results.WaitForPlace(new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
        results.Take(CancellationToken.None);
        Assert.That(results.WaitForPlace(CancellationToken.None), Is.True);
    }

    [Test]
    public void An_error_comes_in_its_place()
    {
        var results = new OrderedResults<string>(places: 3);
        results.Begin().SetResult("first");
        results.Begin().SetException(new IOException("mine"));
        results.Begin().SetResult("third");
        Assert.That(results.Take(CancellationToken.None), Is.EqualTo("first"));
        Assert.That(() => results.Take(CancellationToken.None), Throws.TypeOf<IOException>().With.Message.EqualTo("mine"));
        Assert.That(results.Take(CancellationToken.None), Is.EqualTo("third"));
    }

    [Test]
    public void The_error_it_ended_with_comes_last()
    {
        var results = new OrderedResults<string>(places: 2);
        results.Begin().SetResult("first");
        results.End(new IOException("the line broke"));
        Assert.That(results.Take(CancellationToken.None), Is.EqualTo("first"));
        Assert.That(() => results.Take(CancellationToken.None), Throws.TypeOf<IOException>().With.Message.EqualTo("the line broke"));
    }

    [Test]
    public void Cancelling_ends_the_wait_for_a_result() =>
        Assert.That(() => new OrderedResults<string>(places: 1).Take(new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

    [Test]
    public void What_nobody_took_is_left()
    {
        var results = new OrderedResults<string>(places: 3);
        results.Begin().SetResult("first");
        results.Begin().SetException(new IOException("mine"));
        results.Begin().SetResult("third");
        Assert.That(results.TakeLeft(), Is.EqualTo(new[] { "first", "third" }));
    }
}
