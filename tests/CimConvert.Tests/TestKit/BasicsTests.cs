using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

public class BasicsTests
{
    [Test]
    public void A_folder_goes_with_its_owner()
    {
        string path;
        using (TempFolder folder = new())
        {
            path = folder.Path;
            folder.Write("a/b/c", [1]);
            Assert.That(Directory.Exists(folder.Sub("d")));
        }

        Assert.That(Directory.Exists(path), Is.False);
    }

    [Test]
    public void The_first_difference_of_bytes_is_named_with_its_surroundings()
    {
        byte[] expected = SeededContent.Bytes(1, 100);
        byte[] actual = [.. expected];
        actual[70] ^= 1;

        string message = Failure(() => ByteAssert.Equal(expected, actual));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(message, Does.Contain("offset 70 (0x46)").And.Contain("00000040"));
            Assert.That(Failure(() => ByteAssert.Equal(expected, expected.AsSpan(..32))), Does.Contain("offset 32 (0x20)").And.Contain("actual 32"));
            Assert.That(() => ByteAssert.Equal(expected, [.. expected]), Throws.Nothing);
        }
    }

    [TestCase(0)]
    [TestCase((1 << 20) - 1)]
    [TestCase(1 << 20)]
    [TestCase((2 << 20) + 5)]
    public void The_first_difference_of_files_is_named(int offset)
    {
        using TempFolder folder = new();
        byte[] content = SeededContent.Bytes(2, (2 << 20) + 10);
        string one = folder.Write("one", content);
        string two = folder.Write("two", content);
        FileContentAssert.Equal(one, two);
        Corrupter.FlipByteAt(two, offset);

        Assert.That(Failure(() => FileContentAssert.Equal(one, two)), Does.Contain(FormattableString.Invariant($"offset {offset} ")));
    }

    [Test]
    public void A_shorter_file_differs_at_its_end()
    {
        using TempFolder folder = new();

        string message = Failure(() => FileContentAssert.Equal(folder.Write("one", [1, 2, 3]), folder.Write("two", [1, 2])));

        Assert.That(message, Does.Contain("offset 2 ").And.Contain("expected 3, actual 2"));
    }

    [Test]
    public void Damage_is_the_same_for_the_same_seed_and_always_damage()
    {
        byte[] good = SeededContent.Bytes(3, 500);
        for (int seed = 0; seed < 200; seed++)
        {
            byte[] flipped = new Corrupter(seed).FlipByte(good);
            byte[] cut = new Corrupter(seed).Truncate(good);
            Assert.That(flipped.Zip(good).Count(pair => pair.First != pair.Second), Is.EqualTo(1));
            Assert.That(cut, Has.Length.LessThan(good.Length));
            ByteAssert.Equal(flipped, new Corrupter(seed).FlipByte(good));
        }

        Assert.That(new Corrupter(1).ZeroRange(good, 50).Count(value => value == 0), Is.GreaterThan(20));
    }

    [Test]
    public void Seeded_bytes_do_not_depend_on_how_they_are_read()
    {
        byte[] whole = SeededContent.Bytes(9, 1000);
        using Stream stream = SeededContent.Stream(9, 1000);
        byte[] piecewise = new byte[1000];
        int at = 0;
        for (int piece = 1; at < piecewise.Length; piece++)
        {
            at += stream.Read(piecewise, at, Math.Min(piece, piecewise.Length - at));
        }

        ByteAssert.Equal(whole, piecewise);
        Assert.That(SeededContent.Bytes(10, 1000), Is.Not.EqualTo(whole));
    }

    private static string Failure(Action action)
    {
        using (new NUnit.Framework.Internal.TestExecutionContext.IsolatedContext())
        {
            try
            {
                action();
            }
            catch (AssertionException failure)
            {
                return failure.Message;
            }
        }

        return "";
    }
}
