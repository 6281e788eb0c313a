using Mono.Cecil;
using Mono.Cecil.Cil;

namespace CimConvert.Tests.Architecture;

/// <summary>Reads from compiled assemblies which rooms (namespaces) use which.</summary>
internal static class Rooms
{
    /// <summary>The room of the types of the library's own namespace, but for those that all rooms use.</summary>
    public const string Doors = "the library's doors";

    private static readonly string[] s_forAll = ["ConversionException", "Failures", "Printable", "Instruments", "LogFields", "Quantities"];

    public static IEnumerable<string> PublicTypesOf(string assembly)
    {
        using var module = ModuleDefinition.ReadModule(PathOf(assembly));
        return [.. module.GetTypes().Where(IsSeen).Select(type => type.FullName)];

        // What is public within a type that is not is seen by nobody: generated code has such.
        static bool IsSeen(TypeDefinition type) => type.IsPublic || (type.IsNestedPublic && IsSeen(type.DeclaringType));
    }

    /// <summary>Every use of a type by a type of another room of ours, as <c>Room -> Room (Type uses Type)</c> parts.</summary>
    public static IEnumerable<(string From, string To, string Example)> Uses(string assembly)
    {
        using var module = ModuleDefinition.ReadModule(PathOf(assembly));
        var uses = new Dictionary<(string From, string To), string>();
        foreach (var type in module.GetTypes())
        {
            var from = RoomOf(type);
            foreach (var used in References(type))
            {
                var to = RoomOf(used);
                if (from is not null && to is not null && from != to)
                {
                    uses.TryAdd((from, to), $"{type.FullName} uses {used.FullName}");
                }
            }
        }

        return [.. uses.Select(u => (u.Key.From, u.Key.To, u.Value))];
    }

    /// <summary>Namespaces and assemblies outside our own that an assembly's types use, with an example.</summary>
    public static IEnumerable<(string Room, string Used)> Outside(string assembly)
    {
        using var module = ModuleDefinition.ReadModule(PathOf(assembly));
        return
        [
            .. module.GetTypes().SelectMany(type => References(type)
                    .Where(used => RoomOf(used) is null)
                    .Select(used => (RoomOf(type) ?? type.Name, used.GetElementType().FullName)))
                .Distinct(),
        ];
    }

    /// <summary>Rooms that declare native methods.</summary>
    public static IEnumerable<string> WithNativeMethods(string assembly)
    {
        using var module = ModuleDefinition.ReadModule(PathOf(assembly));
        return [.. module.GetTypes().Where(t => t.Methods.Any(m => m.IsPInvokeImpl)).Select(t => RoomOf(t) ?? t.FullName).Distinct()];
    }

    /// <summary>Assemblies that an assembly uses and that are not the runtime's.</summary>
    public static IReadOnlyList<string> PackagesOf(string assembly)
    {
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        using var module = ModuleDefinition.ReadModule(PathOf(assembly));
        return [.. module.AssemblyReferences.Select(r => r.Name).Where(n => !File.Exists(Path.Combine(runtime, n + ".dll")))];
    }

    private static string PathOf(string assembly) => Path.Combine(AppContext.BaseDirectory, assembly + ".dll");

    /// <summary>A room is a namespace; what the compiler makes lives in that of the type it is for.</summary>
    private static string? RoomOf(TypeReference type)
    {
        var at = type.GetElementType();
        while (at.DeclaringType is { } outer)
        {
            at = outer;
        }

        if (at.Namespace == "CimConvert" && !s_forAll.Contains(at.Name))
        {
            return Doors;
        }

        return (at.Namespace == "CimConvert" || at.Namespace.StartsWith("CimConvert.", StringComparison.Ordinal)) ? at.Namespace : null;
    }

    private static IEnumerable<TypeReference> References(TypeDefinition type)
    {
        var direct = new List<TypeReference?> { type.BaseType };
        direct.AddRange(type.Interfaces.Select(i => i.InterfaceType));
        direct.AddRange(type.Fields.Select(f => f.FieldType));
        foreach (var method in type.Methods)
        {
            direct.Add(method.ReturnType);
            direct.AddRange(method.Parameters.Select(p => p.ParameterType));
            if (method.HasBody)
            {
                direct.AddRange(method.Body.Variables.Select(v => v.VariableType));
                direct.AddRange(method.Body.Instructions.SelectMany(OperandTypes));
            }
        }

        return direct.OfType<TypeReference>().SelectMany(WithArguments);
    }

    private static IEnumerable<TypeReference?> OperandTypes(Instruction instruction) => instruction.Operand switch
    {
        TypeReference type => [type],
        FieldReference field => [field.DeclaringType, field.FieldType],
        MethodReference method =>
        [
            method.DeclaringType,
            method.ReturnType,
            .. method is GenericInstanceMethod generic ? generic.GenericArguments : [],
        ],
        _ => [],
    };

    private static IEnumerable<TypeReference> WithArguments(TypeReference type)
    {
        yield return type;
        if (type is GenericInstanceType generic)
        {
            foreach (var argument in generic.GenericArguments.SelectMany(WithArguments))
            {
                yield return argument;
            }
        }
        else if (type is TypeSpecification { ElementType: { } element })
        {
            foreach (var inner in WithArguments(element))
            {
                yield return inner;
            }
        }
    }
}
