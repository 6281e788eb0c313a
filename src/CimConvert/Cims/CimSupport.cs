using CimConvert.Interop;

namespace CimConvert.Cims;

/// <summary>What this machine can do with CIMs, and why it cannot do the rest.</summary>
internal static class CimSupport
{
    /// <summary>Why block CIMs cannot be written here; null where they can.</summary>
    /// <param name="verified">Whether they are to be sealed.</param>
    public static string? WhyNoWriting(bool verified) =>
        WhyNoWriter(() => WhyTooOld(verified ? WindowsBuild.VerifiedImages : WindowsBuild.BlockImages, verified));

    /// <summary>Why standard CIMs cannot be written here; null where they can.</summary>
    public static string? WhyNoForking() => WhyNoWriter(WhyNoFileImages);

    /// <summary>Why CIMs cannot be mounted here; null where they can.</summary>
    public static string? WhyNoMounting(bool isBlock, bool verified) =>
        !OperatingSystem.IsWindows() ? "only Windows mounts CIMs, and this is not Windows"
        : NativeLibraries.PathOf(CimFs.Library) is null ? $"{CimFs.Library} is not in this machine's System32"
        : isBlock ? WhyTooOld(verified ? WindowsBuild.VerifiedImages : WindowsBuild.BlockImages, verified)
        : WhyNoFileImages();

    private static string? WhyNoWriter(Func<string?> whyTooOld)
    {
        if (!OperatingSystem.IsWindows())
        {
            return "only Windows has it, and this is not Windows";
        }

        if (NativeLibraries.PathOf(CimFsNative.Library) is not { } path)
        {
            return $"neither {CimFsNative.Library} (in System32 or beside the program) nor {CimFs.Library} (in System32) is on this machine";
        }

        // cimwriter.dll brings the writer along, to systems of any age.
        return Path.GetFileName(path) == CimFsNative.Library ? null : whyTooOld();
    }

    private static string? WhyNoFileImages() => OperatingSystem.IsWindows() && WindowsBuild.HasFileImages
        ? null
        : $"this is Windows build {WindowsBuild.Build}: CIMs need Server 2022 of revision {WindowsBuild.Server2022Revision}, or build {WindowsBuild.FileImages}";

    private static string? WhyTooOld(int needed, bool verified) => WindowsBuild.Build >= needed
        ? null
        : $"this is Windows build {WindowsBuild.Build}: {(verified ? "verified" : "block")} CIMs came with build {needed}";
}
