using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Storage.Tests;

/// <summary>A row with every kind of column there is, under a key of a text and an id.</summary>
internal sealed class Probe
{
    public required string Kind { get; init; }

    public required Guid Id { get; init; }

    public long Version { get; set; }

    public int Number { get; set; }

    public double Share { get; set; }

    public bool Flag { get; set; }

    public string? Note { get; set; }

    public string? Document { get; set; }

    public byte[]? Body { get; set; }

    public DateTimeOffset? At { get; set; }

    public Guid? Other { get; set; }
}

/// <summary>A module whose one table serves the tests; it has the outbox and the other tables of every module, too.</summary>
internal sealed class ProbeModule : IModule
{
    public static readonly BulkRows Rows = new("probe_row", ["kind", "id", "version", "number", "share", "flag", "note", "document", "body", "at", "other"], ["kind", "id"], []);

    public string Name => "probe";

    public void ConfigureModel(ModelBuilder model) => model.Entity<Probe>(entity =>
    {
        entity.ToTable("probe_row").HasKey(row => new { row.Kind, row.Id });
        entity.Property(row => row.Kind).HasMaxLength(100);
        entity.Property(row => row.Note).HasMaxLength(200);
        entity.Property(row => row.Document).IsText();
    });

    public void ConfigureServices(IHostApplicationBuilder host)
    {
    }

    public void AddHandlers(HandlerRegistry handlers)
    {
    }

    public void MapEndpoints(IEndpointRouteBuilder api)
    {
    }
}
