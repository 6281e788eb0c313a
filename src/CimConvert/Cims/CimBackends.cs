using CimConvert.Cims.Managed;
using CimConvert.Cims.Native;

namespace CimConvert.Cims;

/// <summary>What writes CIMs.</summary>
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
    /// <param name="options">What it will have to do: sealing needs a newer Windows.</param>
    /// <exception cref="ConversionException">The native one is asked for, or there, and cannot be used; the message says why.</exception>
    public static ICimBackend Select(string name, BlockCimOptions options)
    {
        if (name == Managed || (name == Auto && !CimSupport.CanWriteBlock(options.Integrity, out _)))
        {
            return new ManagedBackend();
        }

        // A library of a wrong version is an error with 'auto', too: what the managed one writes is not what such a node needs.
        NativeBackend.Require(options.Integrity);
        return new NativeBackend();
    }

    /// <summary>As <see cref="Select"/>, for standard CIMs: older Windows has them, too.</summary>
    /// <param name="name">One of the three names.</param>
    /// <exception cref="ConversionException">The native one is asked for, or there, and cannot be used; the message says why.</exception>
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
