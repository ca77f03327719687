using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Retention;

namespace MissionControl.Platform.Modules;

/// <summary>One role of Mission Control: the only public type of its assembly.</summary>
public interface IModule
{
    /// <summary>The role's name: value of <c>--role</c>, prefix of its tables and queues, segment of its routes, suffix of its meter.</summary>
    string Name { get; }

    /// <summary>Contributes the module's entities. Always called, whatever roles are active: one schema, one migration chain.</summary>
    void ConfigureModel(ModelBuilder model);

    /// <summary>Registers the module's services. Only when the role is active in this process.</summary>
    void ConfigureServices(IHostApplicationBuilder host);

    /// <summary>Names the messages this role consumes.</summary>
    void AddHandlers(HandlerRegistry handlers);

    /// <summary>Says of every kind of record how long it is kept, and why; a test finds each table in it. Always called.</summary>
    void DeclareRetention(RetentionTable records)
    {
    }

    /// <summary>Maps the role's REST API onto the group <c>/api/v1/{Name}</c>.</summary>
    void MapEndpoints(IEndpointRouteBuilder api);

    /// <summary>What the role offers on the server's own console.</summary>
    IReadOnlyList<ConsoleTask> ConsoleTasks => [];

    /// <summary>Maps what lives outside the REST API: pages on the portal's listener, the call-home routes on theirs.</summary>
    void MapPages(IEndpointRouteBuilder root)
    {
    }
}
