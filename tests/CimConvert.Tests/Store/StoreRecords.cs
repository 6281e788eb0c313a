using System.Text;
using CimConvert.Oci;
using CimConvert.Store;

namespace CimConvert.Tests.Store;

/// <summary>Layers for tests of the store, which does not look into block files.</summary>
internal static class StoreRecords
{
    /// <summary>Writes a layer's file, and gives the record that goes with it.</summary>
    public static LayerRecord Write(string folder, ChainId chainId, string content)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        File.WriteAllBytes(Path.Combine(folder, "layer.bcim"), bytes);
        return new LayerRecord
        {
            SourceDigest = Digest.Compute("source"u8),
            DiffId = Digest.Compute("diff"u8),
            ChainId = chainId.Digest,
            Parents = [],
            UncompressedSize = 1,
            FilesSize = 1,
            Cim = new FileRecord
            {
                File = "layer.bcim",
                CimName = "layer.cim",
                Size = bytes.Length,
                Digest = Digest.Compute(bytes),
                VhdFooter = false,
            },
            Backend = "managed",
        };
    }
}
