namespace CimConvert.TestKit.Images;

/// <summary>How a layer's tar is compressed.</summary>
public enum LayerCompression
{
    /// <summary><c>application/vnd.oci.image.layer.v1.tar+gzip</c></summary>
    Gzip,

    /// <summary><c>application/vnd.oci.image.layer.v1.tar</c></summary>
    None,

    /// <summary><c>application/vnd.oci.image.layer.v1.tar+zstd</c></summary>
    Zstd,
}

/// <summary>What is wrong with a layer on purpose.</summary>
public enum LayerFault
{
    None,

    /// <summary>The config names another diff ID than the tar has; blob and digest agree.</summary>
    WrongDiffId,

    /// <summary>The blob has a changed byte; its name, digest and size are the good one's.</summary>
    WrongContent,

    /// <summary>The gzip stream stops half way; digest and size are those of what is left.</summary>
    TruncatedGzip,
}
