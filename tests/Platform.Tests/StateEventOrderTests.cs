using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Contracts.Events.Notifications;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Messages come late, doubled and in any order; what a role keeps of another's state is the newest of them all the same.</summary>
public sealed class StateEventOrderTests : IAsyncLifetime
{
    // Far above any version that the host itself gives.
    private const long Newer = 9_000_000_000_000_000;

    // What they carry is added, not kept as a state: repeated items and entries are told apart by their own numbers, which other tests look at.
    private static readonly Type[] Facts = [typeof(ItemsReceived), typeof(AuditEntryRecorded), typeof(SendNotification), typeof(DeliverEvent), typeof(WithdrawEvent), typeof(DeliveryEnded), typeof(TokensLeaked), typeof(LeakedTokensJudged), typeof(NoteTokenUses), typeof(AskToConfirm), typeof(NameRecipients)];

    private static readonly Guid Id = Guid.CreateVersion7(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Whatever_state_a_role_keeps_an_older_message_never_replaces_a_newer_one()
    {
        var states = host.Services.GetRequiredService<HandlerRegistry>().Bindings.Where(binding => !Facts.Contains(binding.MessageType)).ToList();
        string[] least = ["audit.keep-token", "fleet.keep-token", "callhome.keep-user-keys", "fleet.keep-cluster", "licensing.keep-cluster", "callhome.keep-customer", "callhome.apply-desired-state", "fleet.keep-legal-hold"];
        Assert.Empty(least.Except(states.Select(binding => binding.Name)));
        foreach (var binding in states)
        {
            await DeliverAsync(binding, Of(binding.MessageType, Newer));
            var newer = Kept(binding);

            await DeliverAsync(binding, Of(binding.MessageType, Newer - 1));
            var afterOlder = Kept(binding);
            await DeliverAsync(binding, Of(binding.MessageType, Newer));
            var afterNewer = Kept(binding);
            await DeliverAsync(binding, Of(binding.MessageType, Newer + 1));
            var newest = Kept(binding);

            Assert.True(newer.Count > 0, $"{binding.Name} keeps nothing of what it was told");
            Assert.True(newer.SequenceEqual(afterOlder), $"{binding.Name} let an older message replace a newer one:\n{Text(newer)}\n{Text(afterOlder)}");
            Assert.True(newer.SequenceEqual(afterNewer), $"{binding.Name} did something more when the newer message came again:\n{Text(newer)}\n{Text(afterNewer)}");
            Assert.False(newer.SequenceEqual(newest), $"{binding.Name} does not keep the newest message");
        }
    }

    [Fact]
    public async Task A_revoked_token_is_not_revived_in_any_role_by_what_was_told_before()
    {
        var roles = host.Services.GetRequiredService<HandlerRegistry>().Bindings.Where(binding => binding.MessageType == typeof(TokenChanged)).ToList();
        Assert.True(roles.Count >= 7, $"only {roles.Count} roles keep tokens");
        var (client, created) = await host.ClientWithTokenAsync(null, "fleet:read");
        using var _ = client;
        var active = new TokenChanged(created.Id, [1], "x", "token", null, ["fleet:read"], [], DateTimeOffset.UnixEpoch.AddYears(100), null, Newer - 1);

        foreach (var binding in roles)
        {
            await DeliverAsync(binding, active with { RevokedAt = DateTimeOffset.UnixEpoch, Version = Newer });
            await DeliverAsync(binding, active);
        }

        foreach (var binding in roles)
        {
            var row = Assert.Single(Rows($"{binding.Module}_projection", created.Id));
            Assert.Contains("\"revokedAt\":\"1970", row, StringComparison.Ordinal);
        }
    }

    /// <summary>A message of a type about one thing; what it says differs with its version.</summary>
    private static IMessage Of(Type type, long version)
    {
        var word = string.Create(CultureInfo.InvariantCulture, $"v{version}");
        var at = DateTimeOffset.UnixEpoch.AddDays(10_000);
        return type.Name switch
        {
            nameof(TokenChanged) => new TokenChanged(Id.ToString("D"), [1], word, "token", null, [], [], at, version == Newer ? at : null, version),
            nameof(PersonChanged) => new PersonChanged(Id, "staff", null, version != Newer, version),
            nameof(UserKeysChanged) => new UserKeysChanged(new Dictionary<string, byte[]> { [word] = [1] }, version),
            nameof(ClientKeysChanged) => new ClientKeysChanged("https://control.example.com", new Dictionary<string, byte[]> { [word] = [1] }, version),
            nameof(ServiceAccountChanged) => new ServiceAccountChanged(Id, null, version != Newer, [], [], version),
            nameof(LegalHoldChanged) => new LegalHoldChanged(Id, version == Newer, version),
            nameof(CustomerChanged) => new CustomerChanged(Id, word, "eu", version == Newer ? "suspended" : "active", version),
            nameof(ClusterChanged) => new ClusterChanged(Id, Id, word, version == Newer ? "suspended" : "active", false, 1, at, [], at, false, at, version),
            nameof(SetDesiredState) => new SetDesiredState(Id, "test", null, [(byte)(version - Newer + 1)], version),

            // A watermark is as new as its instant says.
            nameof(IntakeWatermark) => new IntakeWatermark(Id.ToString("D"), at.AddSeconds(version - Newer), version),
            _ => throw new InvalidOperationException($"{type.Name} is kept by somebody: say here what it looks like, or name it among the facts."),
        };
    }

    private Task DeliverAsync(HandlerBinding binding, IMessage message) => host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
        binding, message, new MessageContext(Guid.CreateVersion7(host.Time.GetUtcNow()), host.Time.GetUtcNow()), TestContext.Current.CancellationToken);

    /// <summary>All that the role's own tables say of the thing; not the inbox, which grows with every message.</summary>
    private List<string> Kept(HandlerBinding binding)
    {
        var about = binding.MessageType == typeof(UserKeysChanged) ? "user-keys" : binding.MessageType == typeof(ClientKeysChanged) ? "client-keys" : Id.ToString("D");
        using var connection = Open();
        using var tables = connection.CreateCommand();
        tables.CommandText = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE $module || '\\_%' ESCAPE '\\' ORDER BY name";
        tables.Parameters.AddWithValue("$module", binding.Module);
        using var reader = tables.ExecuteReader();
        var names = new List<string>();
        while (reader.Read())
        {
            names.Add(reader.GetString(0));
        }

        Assert.Empty(Rows($"{binding.Module}_parked_message", null));
        return [.. names.Where(name => name != $"{binding.Module}_inbox" && name != $"{binding.Module}_outbox").SelectMany(name => Rows(name, about).Select(row => $"{name}: {row}"))];
    }

    /// <summary>The rows of a table in which a value names the thing; every one of them where none is named.</summary>
    private List<string> Rows(string table, string? about)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT * FROM \"{table}\"";
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            var row = string.Join(" | ", Enumerable.Range(0, reader.FieldCount).Select(i => $"{reader.GetName(i)}={Word(reader.GetValue(i))}"));
            if (about is null || row.Contains(about, StringComparison.OrdinalIgnoreCase) || row.Contains(about.Replace("-", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase))
            {
                rows.Add(row);
            }
        }

        rows.Sort(StringComparer.Ordinal);
        return rows;
    }

    private static string Word(object value) => value switch
    {
        byte[] { Length: 16 } id => new Guid(id, bigEndian: true).ToString("D"),
        byte[] bytes => Convert.ToHexString(bytes),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(host.Data, "missioncontrol.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        return connection;
    }

    private static string Text(List<string> rows) => string.Join('\n', rows);
}
