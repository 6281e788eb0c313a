using System.Buffers.Binary;

namespace CimConvert.Formats.Windows;

/// <summary>Well-known security descriptors.</summary>
internal static class SecurityDescriptor
{
    /// <summary>
    /// Has a DACL that is present but null, which grants everyone full access. Used for files without a security descriptor,
    /// because an empty one leaves a CIM in a bad state (docs/cimfs-api.md).
    /// </summary>
    public static ReadOnlyMemory<byte> NullDacl { get; } =
        SelfRelativeDescriptor.Write(SelfRelativeDescriptor.DaclPresent, owner: null, group: null, sacl: null, dacl: null);
}

/// <summary>
/// Validates and writes self-relative SECURITY_DESCRIPTORs ([MS-DTYP] 2.4.6). Those of a layer are untrusted and are validated before
/// Windows uses them.
/// </summary>
internal static class SelfRelativeDescriptor
{
    public const int HeaderLength = 20;
    public const ushort DaclPresent = 0x0004;
    public const ushort SaclPresent = 0x0010;
    public const ushort SelfRelative = 0x8000;
    public const int AclHeaderLength = 8;

    /// <summary>SID_MAX_SUB_AUTHORITIES (Windows SDK, winnt.h).</summary>
    public const int MaxSubAuthorities = 15;

    private const byte Revision = 1;
    private const int ControlOffset = 2;
    private const int OwnerOffset = 4;
    private const int GroupOffset = 8;
    private const int SaclOffset = 12;
    private const int DaclOffset = 16;
    private const byte SidRevision = 1;
    private const int SidHeaderLength = 8;
    private const byte MinAclRevision = 2;
    private const byte MaxAclRevision = 4;
    private const int AclSizeOffset = 2;

    /// <summary>
    /// What is malformed in a descriptor, or null. Checks that its parts lie inside it and have valid headers; ACEs are not checked.
    /// </summary>
    public static string? Validate(ReadOnlySpan<byte> descriptor)
    {
        if (descriptor.Length < HeaderLength)
        {
            return $"is shorter than {HeaderLength} bytes";
        }

        if (descriptor[0] != Revision)
        {
            return $"has the revision {descriptor[0]} instead of {Revision}";
        }

        var control = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[ControlOffset..]);
        if ((control & SelfRelative) == 0)
        {
            return "is not self-relative";
        }

        return ValidateSid(descriptor, OwnerOffset, "owner")
            ?? ValidateSid(descriptor, GroupOffset, "group")
            ?? ((control & SaclPresent) != 0 ? ValidateAcl(descriptor, SaclOffset, "SACL") : null)
            ?? ((control & DaclPresent) != 0 ? ValidateAcl(descriptor, DaclOffset, "DACL") : null);
    }

    /// <summary>
    /// Lays the parts out like Windows' ConvertStringSecurityDescriptorToSecurityDescriptor: SACL, DACL, owner, group.
    /// The order of DACL, owner and group comes from descriptors recorded on Windows (test data of github.com/CloudSoda/sddl);
    /// that the SACL is first, from Windows' RtlMakeSelfRelativeSD.
    /// </summary>
    public static byte[] Write(ushort control, byte[]? owner, byte[]? group, byte[]? sacl, byte[]? dacl)
    {
        var descriptor = new byte[HeaderLength + Length(sacl) + Length(dacl) + Length(owner) + Length(group)];
        descriptor[0] = Revision;
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor.AsSpan(ControlOffset), (ushort)(control | SelfRelative));
        var end = HeaderLength;
        Place(sacl, SaclOffset);
        Place(dacl, DaclOffset);
        Place(owner, OwnerOffset);
        Place(group, GroupOffset);
        return descriptor;

        static int Length(byte[]? part) => part?.Length ?? 0;

        void Place(byte[]? part, int field)
        {
            if (part is not null)
            {
                BinaryPrimitives.WriteInt32LittleEndian(descriptor.AsSpan(field), end);
                part.CopyTo(descriptor, end);
                end += part.Length;
            }
        }
    }

    private static string? ValidateSid(ReadOnlySpan<byte> descriptor, int field, string what)
    {
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[field..]);
        if (offset == 0)
        {
            return null;
        }

        if (offset < HeaderLength || offset > descriptor.Length - SidHeaderLength)
        {
            return $"has its {what} outside itself";
        }

        var sid = descriptor[(int)offset..];
        return sid[0] == SidRevision && sid[1] <= MaxSubAuthorities && SidHeaderLength + (sid[1] * sizeof(uint)) <= sid.Length
            ? null
            : $"has a malformed {what}";
    }

    private static string? ValidateAcl(ReadOnlySpan<byte> descriptor, int field, string what)
    {
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[field..]);
        if (offset == 0)
        {
            // Present but null: grants everyone full access.
            return null;
        }

        if (offset < HeaderLength || offset > descriptor.Length - AclHeaderLength)
        {
            return $"has its {what} outside itself";
        }

        // ACEs are not checked: hcsshim accepts an ACL that is shorter than its entries, as the parity test data has one.
        var acl = descriptor[(int)offset..];
        var size = BinaryPrimitives.ReadUInt16LittleEndian(acl[AclSizeOffset..]);
        return acl[0] is < MinAclRevision or > MaxAclRevision || size < AclHeaderLength || size > acl.Length ? $"has a malformed {what}" : null;
    }
}
