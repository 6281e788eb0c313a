using System.Text;

namespace CimConvert.TestKit.Fuzzing;

/// <summary>
/// One door by which bytes of others come in: inputs that are sound, and what is done with any input. An input is one or more
/// parts, such as the files of a set, which are changed each on its own.
/// </summary>
public abstract class FuzzHarness
{
    /// <summary>Short, for command lines and file names.</summary>
    public abstract string Name { get; }

    /// <summary>Words of the format.</summary>
    public virtual IReadOnlyList<byte[]> Tokens => [];

    /// <summary>Bytes of a part at most.</summary>
    public virtual int MaxLength => 64 << 10;

    /// <summary>Sound inputs, by builders; all with the same number of parts.</summary>
    public abstract IReadOnlyList<byte[][]> MakeSeeds();

    /// <summary>Whether a part may be changed.</summary>
    public virtual bool IsMutable(int part) => true;

    /// <summary>Whether places in the format are told by numbers, so that bytes put in or taken out mostly break all of it: then few are.</summary>
    public virtual bool HasOffsets => false;

    /// <summary>Puts checksums and the like right after a change, in place or with new arrays, so that it is the rest that is looked at.</summary>
    public virtual void Repair(byte[][] parts)
    {
    }

    /// <summary>Takes the input as the product would.</summary>
    /// <returns>What was made of it in a few words: inputs with new ones are kept to be changed further.</returns>
    public abstract string Run(byte[][] parts);

    /// <summary>Whether an exception is a refusal, as the product documents it. Any other is a finding.</summary>
    public abstract bool IsRefusal(Exception error);

    protected static IReadOnlyList<byte[]> Words(params string[] words) => [.. words.Select(Encoding.UTF8.GetBytes)];

    /// <summary>A number's size, so that counts make few different outcomes.</summary>
    protected static int Magnitude(long number) => number <= 0 ? 0 : 1 + (int)Math.Log2(number);
}
