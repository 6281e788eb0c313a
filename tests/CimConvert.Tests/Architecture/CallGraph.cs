using Mono.Cecil;
using Mono.Cecil.Cil;

namespace CimConvert.Tests.Architecture;

/// <summary>
/// Which methods of some assemblies call which, as far as it can be read from them. A method is <c>TYPE::NAME</c>, all its overloads
/// in one. Whoever creates an object is taken to call all of its overrides.
/// </summary>
internal sealed class CallGraph
{
    private const string Overrides = "::overrides";

    private readonly Dictionary<string, HashSet<string>> _calls = new(StringComparer.Ordinal);

    public CallGraph(IEnumerable<ModuleDefinition> modules)
    {
        foreach (var method in modules.SelectMany(module => module.GetTypes()).SelectMany(type => type.Methods))
        {
            Add(method);
        }
    }

    /// <summary>Whether one of the methods leads to the target, by ways that do not lead through some type.</summary>
    public bool Leads(IEnumerable<string> from, string to, string? around = null)
    {
        var pending = new Stack<string>(from);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (pending.TryPop(out var method))
        {
            if (method == to)
            {
                return true;
            }

            if (seen.Add(method) && (around is null || !method.StartsWith(around + "::", StringComparison.Ordinal)))
            {
                foreach (var called in _calls.GetValueOrDefault(method) ?? [])
                {
                    pending.Push(called);
                }
            }
        }

        return false;
    }

    public static string NameOf(MethodReference method) => NameOf(method.DeclaringType, method.Name);

    private static string NameOf(TypeReference type, string method) => $"{type.GetElementType().FullName}::{method}";

    private void Add(MethodDefinition method)
    {
        if (method.IsVirtual)
        {
            CallsOf(method.DeclaringType.FullName + Overrides).Add(NameOf(method));
        }

        var calls = CallsOf(NameOf(method));
        calls.UnionWith(method.CustomAttributes
            .Where(attribute => attribute.AttributeType.Name.EndsWith("StateMachineAttribute", StringComparison.Ordinal))
            .Select(attribute => NameOf((TypeReference)attribute.ConstructorArguments[0].Value, "MoveNext")));
        foreach (var instruction in method.HasBody ? method.Body.Instructions : [])
        {
            if (instruction.Operand is FieldReference field)
            {
                calls.Add(NameOf(field.DeclaringType, ".cctor"));
            }
            else if (instruction.Operand is MethodReference called)
            {
                calls.Add(NameOf(called));
                calls.Add(NameOf(called.DeclaringType, ".cctor"));
                if (instruction.OpCode == OpCodes.Newobj)
                {
                    calls.Add(called.DeclaringType.GetElementType().FullName + Overrides);
                }
            }
        }
    }

    private HashSet<string> CallsOf(string method)
    {
        if (!_calls.TryGetValue(method, out var calls))
        {
            _calls[method] = calls = new HashSet<string>(StringComparer.Ordinal);
        }

        return calls;
    }
}
