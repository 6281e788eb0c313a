using CimConvert.Storage;

namespace CimConvert.Cli.Commands;

/// <summary>Writes a command's output hive, atomically and without replacing a file.</summary>
internal static class NewHive
{
    /// <param name="output">The final name.</param>
    /// <param name="write">Writes the hive to the path it is given, and flushes it.</param>
    /// <exception cref="IOException">The output exists already.</exception>
    public static void Write(string output, Action<string> write)
    {
        if (Path.Exists(output))
        {
            throw new IOException($"'{output}' exists already: remove it first, or choose another name");
        }

        var partial = AtomicFile.PartialOf(output);
        try
        {
            write(partial);
            AtomicFile.Rename(partial, output, overwrite: false);
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
