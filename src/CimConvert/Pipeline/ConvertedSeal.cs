using CimConvert.Cims;
using CimConvert.Cims.Tools;

namespace CimConvert.Pipeline;

/// <summary>Keeps the root digest of a block file that was pulled beside it, when it is that of the file.</summary>
internal static class ConvertedSeal
{
    /// <param name="blockFile">The block file.</param>
    /// <param name="root">In hex, as the manifest says.</param>
    /// <param name="name">Of the file beside it.</param>
    /// <param name="backend">What wrote the file; what Windows wrote only Windows can check.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The file is not sealed, or with another root digest.</exception>
    public static void Keep(string blockFile, string root, string name, string backend, CancellationToken cancellationToken)
    {
        var bytes = Convert.FromHexString(root);
        if (backend == CimBackends.Managed)
        {
            CimVerification.VerifySeal(blockFile, bytes, cancellationToken);
        }

        IntegrityFile.Write(Path.Combine(Path.GetDirectoryName(blockFile)!, name), bytes);
    }
}
