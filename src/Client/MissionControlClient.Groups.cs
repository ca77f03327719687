using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    private const string Groups = "/api/v1/identity/groups";

    /// <summary>Groups of people, by name.</summary>
    public Task<Page<GroupItem>> ListGroupsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<GroupItem>>($"{Groups}{query}", cancellationToken);

    /// <summary>One group with its people.</summary>
    public Task<GroupDetail> GetGroupAsync(Guid id, CancellationToken cancellationToken) => GetAsync<GroupDetail>($"{Groups}/{id}", cancellationToken);

    /// <summary>Makes a group.</summary>
    public Task<CreatedGroup> CreateGroupAsync(SetGroupRequest request, Precondition? precondition, CancellationToken cancellationToken) => SendAsync<CreatedGroup>(HttpMethod.Post, Groups, request, precondition, cancellationToken);

    /// <summary>Sets a group as a whole.</summary>
    public Task ChangeGroupAsync(Guid id, SetGroupRequest request, Precondition precondition, CancellationToken cancellationToken) => SendAsync(HttpMethod.Put, $"{Groups}/{id}", request, precondition, cancellationToken);

    /// <summary>Removes a group.</summary>
    public Task RemoveGroupAsync(Guid id, GroupActionRequest request, Precondition? precondition, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Groups}/{id}/remove", request, precondition, cancellationToken);
}
