using CimConvert.Cims.Managed;
using CimConvert.Cims.Native;

namespace CimConvert.Cims;

/// <summary>A back end: what writes CIMs.</summary>
public enum CimBackend
{
    /// <summary>Native where it can be used, else managed.</summary>
    Auto,

    /// <summary>Windows' own writer, cimwriter.dll or cimfs.dll: what it writes, Windows mounts.</summary>
    Native,

    /// <summary>The project's own writer, on any system. Nothing it wrote has been mounted on Windows yet.</summary>
    Managed,
}

/// <summary>The back ends by the names that the command line, JSON and manifests give them.</summary>
internal static class CimBackends
{
    /// <summary>Native where it can be used, else managed.</summary>
    public const string Auto = "auto";
    public const string Native = "native";
    public const string Managed = "managed";

    public static string NameOf(CimBackend backend) => backend switch
    {
        CimBackend.Native => Native,
        CimBackend.Managed => Managed,
        _ => Auto,
    };

    /// <param name="name">One of the three names.</param>
    /// <param name="options">How the block files are written: sealing needs a newer Windows.</param>
    /// <exception cref="ConversionException">The native back end is requested, or present, and cannot be used; the message says why.</exception>
    public static ICimBackend Select(string name, BlockCimOptions options)
    {
        if (name == Managed || (name == Auto && !CimSupport.CanWriteBlock(options.Integrity, out _)))
        {
            return new ManagedBackend();
        }

        // A library of the wrong version is an error for 'auto', too: a Windows node cannot use what the managed back end writes.
        NativeBackend.Require(options.Integrity);
        return new NativeBackend();
    }

    /// <summary>The back end that would write an image: the one that is named, or what <see cref="Auto"/> means on this machine.</summary>
    /// <param name="name">One of the three names.</param>
    /// <param name="options">How block files would be written.</param>
    /// <param name="forked">Whether forked CIMs would be written instead.</param>
    /// <exception cref="ConversionException">See <see cref="Select"/>.</exception>
    public static string NameFor(string name, BlockCimOptions options, bool forked) =>
        name != Auto ? name : forked ? SelectForking(name).Name : Select(name, options).Name;

    /// <summary>As <see cref="Select"/>, for standard CIMs, which older versions of Windows support, too.</summary>
    /// <param name="name">One of the three names.</param>
    /// <exception cref="ConversionException">The native back end is requested, or present, and cannot be used; the message says why.</exception>
    public static ICimBackend SelectForking(string name)
    {
        if (name == Managed || (name == Auto && !CimSupport.CanWriteForkedCims(out _)))
        {
            return new ManagedBackend();
        }

        NativeBackend.RequireForking();
        return new NativeBackend();
    }
}
