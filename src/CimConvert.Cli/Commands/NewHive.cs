namespace CimConvert.Cli.Commands;

/// <summary>The hive that a command makes: it gets its name when it is whole.</summary>
internal static class NewHive
{
    private const string PartialSuffix = ".partial";

    /// <param name="output">Nothing may have the name yet.</param>
    /// <param name="write">Writes the hive to the path it is given.</param>
    /// <exception cref="IOException">Something has the name.</exception>
    public static void Write(string output, Action<string> write)
    {
        if (Path.Exists(output))
        {
            throw new IOException($"'{output}' exists already: remove it first, or choose another name");
        }

        var partial = output + PartialSuffix;
        try
        {
            write(partial);
            File.Move(partial, output, overwrite: false);
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
