using System.Reflection;
using System.Text;
using MassTransit;
using MissionControl.Contracts;

namespace MissionControl.Architecture.Tests;

/// <summary>
/// Messages outlive the process that wrote them: names and fields are fixed, and may only grow. The golden file shows every
/// change of them in review.
/// </summary>
public sealed class WireNameTests
{
    private static readonly Type[] Messages = [.. typeof(IMessage).Assembly.GetExportedTypes()
        .Where(type => type.IsClass && typeof(IMessage).IsAssignableFrom(type))
        .OrderBy(type => type.FullName, StringComparer.Ordinal)];

    public static TheoryData<string> Names => [.. Messages.Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_is_a_sealed_record_with_one_fixed_name(string message)
    {
        var type = Messages.Single(candidate => candidate.FullName == message);
        var entity = type.GetCustomAttribute<EntityNameAttribute>()?.EntityName;
        var urn = type.GetCustomAttribute<MessageUrnAttribute>();

        Assert.NotNull(entity);
        Assert.NotNull(urn);
        Assert.Equal("urn:message:" + entity, urn.Urn.OriginalString);
        Assert.Matches("^[a-z]+\\.[a-z][a-z0-9-]*$", entity);
        Assert.True(type.IsSealed && type.GetMethod("<Clone>$") is not null, $"{message} must be a sealed record.");
    }

    [Fact]
    public void A_message_carries_the_name_of_the_role_whose_folder_it_stands_in()
    {
        var wrong = Messages.Where(type => !string.Equals(
            type.GetCustomAttribute<EntityNameAttribute>()!.EntityName.Split('.')[0], type.Namespace!.Split('.')[^1], StringComparison.OrdinalIgnoreCase));

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_name_is_given_once() => Assert.Empty(Messages
        .GroupBy(type => type.GetCustomAttribute<EntityNameAttribute>()?.EntityName).Where(group => group.Count() > 1).Select(group => group.Key));

    [Fact]
    public void Names_and_fields_are_those_of_the_golden_file()
    {
        var text = new StringBuilder("# Messages between roles: wire name, kind and fields. Written by infra/dev docs; only ever add.\n");
        foreach (var type in Messages.OrderBy(type => type.GetCustomAttribute<EntityNameAttribute>()!.EntityName, StringComparer.Ordinal))
        {
            var kind = type.Namespace!.Contains(".Commands.", StringComparison.Ordinal) ? "command" : "event";
            text.Append('\n').Append(type.GetCustomAttribute<EntityNameAttribute>()!.EntityName).Append(" (").Append(kind).Append(")\n");
            Append(text, type, "  ", []);
        }

        GoldenFile.Check("docs/api/wire-names.txt", text.ToString());
    }

    private static void Append(StringBuilder text, Type type, string indent, IReadOnlyList<Type> above)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).OrderBy(property => property.MetadataToken))
        {
            text.Append(indent).Append(char.ToLowerInvariant(property.Name[0])).Append(property.Name.AsSpan(1)).Append(": ").Append(NameOf(property.PropertyType)).Append('\n');
            var part = PartOf(property.PropertyType);
            if (part.Assembly == typeof(IMessage).Assembly && !part.IsEnum && !above.Contains(part))
            {
                Append(text, part, indent + "  ", [.. above, part]);
            }
        }
    }

    private static Type PartOf(Type type) => type.IsGenericType ? PartOf(type.GetGenericArguments()[^1]) : type.IsArray ? type.GetElementType()! : type;

    private static string NameOf(Type type) => type switch
    {
        _ when Nullable.GetUnderlyingType(type) is { } inner => NameOf(inner) + "?",
        { IsEnum: true } => type.Name + "(" + string.Join('|', Enum.GetNames(type)) + ")",
        { IsGenericType: true } => type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)] + "<" + string.Join(", ", type.GetGenericArguments().Select(NameOf)) + ">",
        _ => type.Name,
    };
}
