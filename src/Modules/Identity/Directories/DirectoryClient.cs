using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MissionControl.Identity.Federation;
using MissionControl.Platform.Http;

namespace MissionControl.Identity.Directories;

/// <summary>Somebody whom a directory knows.</summary>
/// <param name="Dn">Where its entry is now.</param>
/// <param name="Subject">What stays the same wherever it goes.</param>
/// <param name="Login">By which groups list it that do not list DNs; null: it has not one.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Email">Its mail address; empty: none.</param>
internal sealed record DirectoryPerson(string Dn, string Subject, string? Login, string Name, string Email);

/// <summary>What came of a look at a directory: somebody and its groups, or why not.</summary>
/// <param name="Person">Whom the name found; null: nobody, or more than one.</param>
/// <param name="Groups">Its groups, when the password was right; null: it was not.</param>
/// <param name="Why">What the log says; null: nothing was wrong.</param>
internal sealed record DirectoryAnswer(DirectoryPerson? Person, IReadOnlyList<string>? Groups, string? Why);

/// <summary>
/// Asks directories whose a name is, whether a password is its, and which groups it is in. A directory that is silent keeps its own
/// callers waiting until its timeout, and nobody else; of each so many are asked at a time.
/// </summary>
internal sealed class DirectoryClient(IOptions<IdentityOptions> options) : IDisposable
{
    /// <summary>Connections to one directory at a time.</summary>
    private const int AtOnce = 16;

    /// <summary>Sign-ins that wait for theirs; who comes then is told to come again.</summary>
    private const int MaxWaiting = 128;

    private const int MostGroups = 1000;
    private const int GroupsAtOnce = 50;

    private readonly ConcurrentDictionary<string, Door> doors = new(StringComparer.Ordinal);

    public IReadOnlyList<StaffDirectoryOptions> All => options.Value.Directories;

    public StaffDirectoryOptions? Find(string id) => All.FirstOrDefault(directory => directory.Id == id);

    /// <summary>A place among those who wait for a directory, until it is disposed; null: there are too many.</summary>
    public IDisposable? TryTakeTurn(StaffDirectoryOptions directory) => DoorOf(directory).TryEnter();

    /// <summary>Looks somebody up and tries a password, in the same number of questions whether there is such a person or not.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">What was typed.</param>
    /// <param name="password">What was typed; not empty.</param>
    /// <param name="mayTry">Asked with the subject that was found, before the password is tried: whether it may be.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProviderException">The directory cannot be asked; this says nothing of the person.</exception>
    public Task<DirectoryAnswer> SignInAsync(StaffDirectoryOptions directory, string name, string password, Func<string, Task<bool>> mayTry, CancellationToken cancellationToken) => WithinAsync(directory, async (connection, deadline) =>
    {
        await BindAsync(directory, connection, deadline);
        var (person, why) = await LookUpAsync(directory, connection, name, deadline);
        var mayBeTried = person is not null && await mayTry(person.Subject);

        // Nobody's name gets a question, too, for an entry that is not there, so that who listens or counts learns nothing. What was
        // typed is not sent: a locked person's password is not tried by the directory either.
        if (!mayBeTried)
        {
            try
            {
                await connection.BindAsync($"cn={Convert.ToHexString(RandomNumberGenerator.GetBytes(8))},{directory.SearchBase}", Convert.ToHexString(RandomNumberGenerator.GetBytes(8)), deadline);
            }
            catch (ProviderException)
            {
                // A search that was broken off may leave more on its way; whatever comes, the answer is the same.
            }

            return new DirectoryAnswer(person, null, why ?? "too many wrong tries");
        }

        var bound = await connection.BindAsync(person!.Dn, password, deadline);

        // 0 alone: a server that goes on asking (14), or refers elsewhere (10), has proved nothing.
        if (bound.Code != 0)
        {
            return new DirectoryAnswer(person, null, bound.Code == 49 ? "the password was wrong, or the directory lets it in no more" : $"the directory refuses the bind ({bound.Code} {bound.Message})");
        }

        try
        {
            // As before, not as the person, which may be allowed to see other groups or none.
            await BindAsync(directory, connection, deadline);
            return new DirectoryAnswer(person, await GroupsAsync(directory, connection, person!, deadline), null);
        }
        catch (ProviderException failure)
        {
            // Whoever is told of it knows that the password was right.
            return new DirectoryAnswer(person, null, failure.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DirectoryAnswer(person, null, "the directory did not say in time which groups it is in");
        }
    }, cancellationToken);

    /// <summary>Does something with a connection of one's own, within the directory's timeout.</summary>
    /// <exception cref="ProviderException">It cannot be reached, or not in time.</exception>
    public async Task<T> WithinAsync<T>(StaffDirectoryOptions directory, Func<LdapConnection, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(directory.Timeout);
        var door = DoorOf(directory);
        try
        {
            await door.Gate.WaitAsync(deadline.Token);
            try
            {
                await using var connection = await LdapConnection.OpenAsync(directory.Server!, door.Trust, deadline.Token);
                return await ask(connection, deadline.Token);
            }
            finally
            {
                door.Gate.Release();
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProviderException("not-reachable", $"The directory did not answer within {directory.Timeout.TotalSeconds} s.");
        }
    }

    /// <summary>Binds as whom the configuration names.</summary>
    /// <exception cref="ProviderException">The directory refuses it.</exception>
    public static async Task BindAsync(StaffDirectoryOptions directory, LdapConnection connection, CancellationToken cancellationToken)
    {
        if (directory.BindDn is not { Length: > 0 } dn)
        {
            return;
        }

        string password;
        try
        {
            password = directory.BindPassword();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProviderException("bind-refused", "The BindPasswordFile cannot be read.");
        }

        if (password.Length == 0)
        {
            throw new ProviderException("bind-refused", "The BindPasswordFile is empty.");
        }

        var bound = await connection.BindAsync(dn, password, cancellationToken);
        if (bound.Code != 0)
        {
            throw new ProviderException("bind-refused", $"The directory refuses {dn} ({Told(bound)}). Look at BindDn and BindPasswordFile.");
        }
    }

    /// <summary>Whose a name is; null: nobody's, or more than one's.</summary>
    /// <exception cref="ProviderException">It cannot be searched.</exception>
    public static async Task<(DirectoryPerson? Person, string? Why)> LookUpAsync(StaffDirectoryOptions directory, LdapConnection connection, string name, CancellationToken cancellationToken)
    {
        string[] attributes = [directory.NameAttribute, directory.LoginAttribute, directory.MailAttribute, directory.IdAttribute];
        var (result, entries) = await connection.SearchAsync(directory.SearchBase, isSubtree: true, LdapFilter.Parse(directory.UserFilter).With(name), attributes, 2, cancellationToken);
        if (result.Code is not (0 or LdapConnection.SizeLimitExceeded))
        {
            throw new ProviderException("search-refused", $"The directory cannot be searched below {directory.SearchBase} ({Told(result)}). Look at SearchBase, UserFilter and what BindDn may read.");
        }

        // Of two that answer to one name neither is meant for sure.
        if (entries.Count != 1 || result.Code != 0)
        {
            return (null, entries.Count == 0 && result.Code == 0 ? "nobody has this name" : "more than one entry has this name");
        }

        var entry = entries[0];
        if (entry.Dn.Length == 0 || SubjectOf(directory, entry) is not { } subject)
        {
            return (null, $"its entry has not one {directory.IdAttribute} that can be read");
        }

        return (new DirectoryPerson(entry.Dn, subject, ValuesOf(entry, directory.LoginAttribute).Count == 1 ? TextOf(entry, directory.LoginAttribute) : null, TextOf(entry, directory.NameAttribute) ?? name, TextOf(entry, directory.MailAttribute) ?? ""), null);
    }

    /// <summary>
    /// The groups that somebody is in, by itself or through others: names and DNs, as configuration and directory are compared. Each
    /// group is asked about once, so that groups that hold each other end nowhere else.
    /// </summary>
    /// <exception cref="ProviderException">They cannot be had, or are too many: a part of them would give a part of the roles.</exception>
    public static async Task<IReadOnlyList<string>> GroupsAsync(StaffDirectoryOptions directory, LdapConnection connection, DirectoryPerson person, CancellationToken cancellationToken)
    {
        if (directory.GroupBase is not { Length: > 0 } below)
        {
            return [];
        }

        var filter = LdapFilter.Parse(directory.GroupFilter);
        var found = new Dictionary<string, LdapEntry>(StringComparer.Ordinal);
        if (person.Login is null && filter.Holds(1))
        {
            throw new ProviderException("groups-refused", $"Its entry has not one {directory.LoginAttribute}, by which its groups list it.");
        }

        List<LdapFilter> asked = [filter.With(person.Dn, person.Login ?? "")];
        for (var level = 0; level <= directory.GroupNesting && asked.Count > 0; level++)
        {
            List<LdapFilter> next = [];
            foreach (var some in asked.Chunk(GroupsAtOnce))
            {
                var (result, entries) = await connection.SearchAsync(below, isSubtree: true, LdapFilter.AnyOf(some), [directory.GroupNameAttribute], MostGroups, cancellationToken);
                if (result.Code == LdapConnection.SizeLimitExceeded)
                {
                    throw TooMany();
                }

                if (result.Code != 0)
                {
                    throw new ProviderException("groups-refused", $"The groups below {below} cannot be searched ({Told(result)}). Look at GroupBase, GroupFilter and what BindDn may read.");
                }

                // A group is a member by its DN alone.
                next.AddRange(entries.Where(entry => found.TryAdd(DirectoryNames.KeyOfDn(entry.Dn), entry) && filter.Holds(0)).Select(entry => filter.With(entry.Dn, entry.Dn)));
                if (found.Count > MostGroups)
                {
                    throw TooMany();
                }
            }

            asked = next;
        }

        return [.. found.SelectMany(pair => NamesOf(pair.Value).Prepend(pair.Key)).Distinct(StringComparer.Ordinal)];

        IEnumerable<string> NamesOf(LdapEntry entry) => ValuesOf(entry, directory.GroupNameAttribute).Select(value => DirectoryNames.KeyOfGroupName(Encoding.UTF8.GetString(value))).OfType<string>();

        static ProviderException TooMany() => new("too-many-groups", $"It is in more than {MostGroups} groups; let GroupBase or GroupFilter find only those that give roles.");
    }

    /// <summary>A result in words.</summary>
    public static string Told(LdapResult result) => result.Code switch
    {
        1 => "1 operations error: it wants a bind first",
        2 => "2 protocol error",
        8 => "8 stronger authentication required",
        10 => "10 referral: it is on another server, which is not asked",
        32 => "32 no such object",
        34 => "34 not a DN",
        48 => "48 inappropriate authentication",
        49 => "49 invalid credentials",
        50 => "50 insufficient access rights",
        51 => "51 busy",
        52 => "52 unavailable",
        53 => "53 unwilling to perform",
        _ => $"{result.Code} {result.Message}",
    };

    public void Dispose()
    {
        foreach (var door in doors.Values)
        {
            door.Gate.Dispose();
        }
    }

    // Sixteen octets are a GUID, as Active Directory keeps them; anything else is text.
    private static string? SubjectOf(StaffDirectoryOptions directory, LdapEntry entry)
    {
        if (ValuesOf(entry, directory.IdAttribute) is not [var value])
        {
            return null;
        }

        var isGuid = value.Length == 16 && (directory.IdAttribute.Equals("objectGUID", StringComparison.OrdinalIgnoreCase) || value.Any(octet => octet is <= 0x20 or >= 0x7f));
        var text = isGuid ? new Guid(value).ToString("D") : Encoding.UTF8.GetString(value);
        return text.Length is > 0 and <= 200 && text.All(letter => letter is > ' ' and < '\u007f') ? text : null;
    }

    private static IReadOnlyList<byte[]> ValuesOf(LdapEntry entry, string attribute) => entry.Attributes.GetValueOrDefault(attribute) ?? [];

    private static string? TextOf(LdapEntry entry, string attribute) => ValuesOf(entry, attribute) is [var first, ..] && Encoding.UTF8.GetString(first) is { Length: > 0 } text ? text : null;

    private Door DoorOf(StaffDirectoryOptions directory) => doors.GetOrAdd(directory.Id, _ => new Door(new OutboundGuard([], directory.CaFile is { Length: > 0 } own ? own : options.Value.CaFile, "")));

    private sealed class Door(OutboundGuard trust)
    {
        private int waiting;

        public OutboundGuard Trust => trust;

        public SemaphoreSlim Gate { get; } = new(AtOnce);

        public IDisposable? TryEnter()
        {
            if (Interlocked.Increment(ref waiting) <= MaxWaiting)
            {
                return new Turn(this);
            }

            Interlocked.Decrement(ref waiting);
            return null;
        }

        private sealed class Turn(Door door) : IDisposable
        {
            public void Dispose() => Interlocked.Decrement(ref door.waiting);
        }
    }
}
