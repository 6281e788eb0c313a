namespace CimConvert.TestKit.Servers;

/// <summary>The zstd program: what the product's own library compresses would prove little of how it decompresses.</summary>
public static class Zstd
{
    /// <summary>One frame, with its checksum.</summary>
    public static byte[] Compress(byte[] content)
    {
        using TempFolder folder = new();
        string plain = folder["plain"];
        File.WriteAllBytes(plain, content);
        return File.ReadAllBytes(CompressFile(plain, folder["compressed"]));
    }

    /// <summary>Compresses a file into another; gives the other's path.</summary>
    public static string CompressFile(string plain, string compressed)
    {
        string zstd = Tools.Require("zstd");
        ExternalProcess.RunAsync(zstd, ["-q", "-f", "-1", "-o", compressed, plain]).GetAwaiter().GetResult().EnsureSuccess();
        return compressed;
    }
}
