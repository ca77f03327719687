using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Catalog;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Storage.SqlServer;

namespace MissionControl.Architecture.Tests;

/// <summary>
/// What each role may touch at the servers, written from what the modules are: the tables of their prefix, the messages they consume
/// by their handlers, and those they publish by making one. <c>infra/dev docs</c> writes the files anew.
/// </summary>
public sealed class GrantsTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void Each_role_may_touch_its_own_tables_at_PostgreSQL()
    {
        var text = new StringBuilder("""
            -- What each role may do in a PostgreSQL database that missioncontrol migrate has made. Run as its owner, after every migrate:
            --   psql --set ON_ERROR_STOP=1 --file postgresql.sql DATABASE
            -- The logins mc_<role> must exist; infra/containers/make-secrets makes them for the compose file. Written by infra/dev docs.
            BEGIN;
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;

            """);
        foreach (var (role, tables) in TablesByRole())
        {
            text.Append("\n-- ").Append(role).Append('\n').Append("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM mc_").Append(role).Append(";\nGRANT USAGE ON SCHEMA public TO mc_").Append(role).Append(";\nGRANT SELECT ON schema_history TO mc_").Append(role).Append(";\n");
            foreach (var (table, rights) in tables)
            {
                text.Append("GRANT ").Append(rights).Append(" ON ").Append(table).Append(" TO mc_").Append(role).Append(";\n");
            }
        }

        GoldenFile.Check("infra/grants/postgresql.sql", text.Append("COMMIT;\n").ToString());
    }

    [Fact]
    public void Each_role_may_touch_its_own_tables_at_SQL_Server()
    {
        var text = new StringBuilder("""
            -- What each role may do in an SQL Server database that missioncontrol migrate has made. Run as its owner, after every migrate:
            --   sqlcmd -b -d DATABASE -i sqlserver.sql
            -- The users mc_<role> must exist in the database, and the database must read by versions, once, before the first role starts:
            --   ALTER DATABASE [DATABASE] SET READ_COMMITTED_SNAPSHOT ON;
            -- Written by infra/dev docs.

            """);
        foreach (var (role, tables) in TablesByRole())
        {
            text.Append("\n-- ").Append(role).Append("\nGRANT SELECT ON [schema_history] TO [mc_").Append(role).Append("];\n");
            foreach (var (table, rights) in tables)
            {
                text.Append("GRANT ").Append(rights).Append(" ON [").Append(table).Append("] TO [mc_").Append(role).Append("];\n");
            }
        }

        GoldenFile.Check("infra/grants/sqlserver.sql", text.ToString());
    }

    [Fact]
    public void Each_role_may_touch_its_own_queues_and_messages_at_RabbitMQ()
    {
        var permissions = ModuleList.All.Select(module =>
        {
            var consumed = Handlers(module);
            var queues = consumed.Select(handler => handler.Name).ToList();
            var read = consumed.Select(handler => MessageJson.WireName(handler.MessageType)).ToList();
            var published = Published(module).ToList();

            // A process declares anew, when it starts, what migrate declared; binding a queue writes to the queue and reads the exchange.
            return new
            {
                user = $"mc_{module.Name}",
                vhost = "/",
                configure = Pattern(queues.Concat(read).Concat(published)),
                write = Pattern(queues.Concat(published)),
                read = Pattern(queues.Concat(read)),
            };
        });

        GoldenFile.Check("infra/grants/rabbitmq.json", JsonSerializer.Serialize(new { permissions }, Indented).ReplaceLineEndings("\n") + "\n");
    }

    private static IEnumerable<(string Role, IReadOnlyList<(string Table, string Rights)> Tables)> TablesByRole()
    {
        using var db = new DesignTimeFactory().CreateDbContext([]);
        var tables = db.Model.GetEntityTypes().Select(entity => entity.GetTableName()!).Distinct().Order(StringComparer.Ordinal).ToList();
        var (appendOnly, owners) = (AppendOnly.Tables(db.Model), AppendOnly.OwnersTables(db.Model));
        return [.. ModuleList.All.Select(module => (module.Name, (IReadOnlyList<(string, string)>)[.. tables
            .Where(table => table.StartsWith(module.Name + "_", StringComparison.Ordinal))
            .Select(table => (table, owners.Contains(table) ? "SELECT" : appendOnly.Contains(table) ? "SELECT, INSERT" : "SELECT, INSERT, UPDATE, DELETE"))]))];
    }

    private static IReadOnlyList<HandlerBinding> Handlers(IModule module) => MessagingServices.HandlersOf([module]).Bindings;

    /// <summary>The messages that the module's code, or the platform's on its behalf, constructs.</summary>
    private static IEnumerable<string> Published(IModule module)
    {
        var made = Constructed(module.GetType().Assembly).Concat(Constructed(typeof(IModule).Assembly)).ToHashSet();
        return typeof(IMessage).Assembly.GetExportedTypes().Where(type => !type.IsInterface && typeof(IMessage).IsAssignableFrom(type) && made.Contains(type.FullName!)).Select(MessageJson.WireName);
    }

    private static IEnumerable<string> Constructed(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        return [.. metadata.MemberReferences.Select(metadata.GetMemberReference)
            .Where(member => metadata.GetString(member.Name) == ".ctor" && member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => metadata.GetTypeReference((TypeReferenceHandle)member.Parent))
            .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}")];
    }

    private static string Pattern(IEnumerable<string> names)
    {
        var sorted = names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(name => name.Replace(".", "\\.", StringComparison.Ordinal)).ToList();
        return sorted.Count == 0 ? "^$" : $"^({string.Join('|', sorted)})$";
    }
}
