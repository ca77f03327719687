using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Contracts;

/// <summary>What somebody proves once more that they want: this purpose, and exactly this.</summary>
/// <param name="Purpose">One of <see cref="StepUp.Purposes"/>.</param>
/// <param name="Digest">SHA-256 over what it is about, base64url, 43 characters.</param>
public sealed record StepUpSubject(string Purpose, string Digest);

/// <summary>
/// Step-up: what matters most is done only by somebody who has just proved who it is, for this very thing. The role that demands it and
/// the one that proves it take the digest from here, so that a proof for one thing is never good for another.
/// </summary>
public static class StepUp
{
    /// <summary>The header that carries the proof when the request is repeated.</summary>
    public const string Header = "MC-Step-Up";

    /// <summary>
    /// The header, with the value <see cref="InPortal"/>, by which a program without a browser has its person asked in the portal: the role tells
    /// identity what it demands, and names in its answer where that is confirmed (<see cref="Api.StepUpDemand.Confirmation"/>).
    /// </summary>
    public const string AskHeader = "MC-Step-Up-Ask";

    /// <summary>The value of <see cref="AskHeader"/>.</summary>
    public const string InPortal = "portal";

    /// <summary>Characters of a text that a program can have confirmed in the portal: all of it is shown, or it is confirmed where it is done.</summary>
    public const int MostInPortal = 2000;

    /// <summary>Open a session on a cluster.</summary>
    public const string OpenSession = "open-session";

    /// <summary>Approve somebody's access.</summary>
    public const string ApproveAccess = "approve-access";

    /// <summary>Add or remove something that one signs in with.</summary>
    public const string EnrolDevice = "enrol-device";

    /// <summary>Stop every session at once.</summary>
    public const string EngageKillSwitch = "engage-kill-switch";

    /// <summary>Close a billing period.</summary>
    public const string ClosePeriod = "close-period";

    /// <summary>Sign a release.</summary>
    public const string SignRelease = "sign-release";

    /// <summary>Give or take roles: of somebody who is there, who is invited, or who comes back.</summary>
    public const string ChangeRole = "change-role";

    /// <summary>Make an API token of one's own.</summary>
    public const string MakeToken = "make-token";

    /// <summary>Give a program a right or another owner, or let it call again.</summary>
    public const string GrantScope = "grant-scope";

    /// <summary>Erase what is kept of persons beside an audit log.</summary>
    public const string ErasePersonalValues = "erase-personal-values";

    /// <summary>Every purpose there is.</summary>
    public static readonly IReadOnlyList<string> Purposes = [OpenSession, ApproveAccess, EnrolDevice, EngageKillSwitch, ClosePeriod, SignRelease, ChangeRole, MakeToken, GrantScope, ErasePersonalValues];

    /// <summary>A person holds exactly these roles from now on.</summary>
    public static StepUpSubject ChangeRoles(Guid personId, IEnumerable<string> roles) => Of(ChangeRole, ["hold", personId.ToString("N"), .. roles.Order(StringComparer.Ordinal)]);

    /// <summary>Somebody is invited to hold these roles.</summary>
    public static StepUpSubject Invite(string email, Guid? customerId, IEnumerable<string> roles) => Of(ChangeRole, ["invite", email, customerId?.ToString("N") ?? "", .. roles.Order(StringComparer.Ordinal)]);

    /// <summary>Somebody who lost password or device gets a way back.</summary>
    public static StepUpSubject Recover(Guid personId) => Of(ChangeRole, ["recover", personId.ToString("N")]);

    /// <summary>A customer's provider signs people in, and gives them roles.</summary>
    /// <param name="customerId">The customer.</param>
    /// <param name="which">The provider that is changed; null: one more.</param>
    /// <param name="issuer">Its issuer.</param>
    /// <param name="clientId">What this installation is called there.</param>
    /// <param name="roles">The role of each group, as <c>group=role</c>.</param>
    /// <param name="rest">Everything else of it, each in its place.</param>
    public static StepUpSubject SetProvider(Guid customerId, Guid? which, string issuer, string clientId, IEnumerable<string> roles, IReadOnlyList<string> rest) =>
        Of(ChangeRole, ["provider", customerId.ToString("N"), which?.ToString("N") ?? "", issuer, clientId, .. rest, .. roles.Order(StringComparer.Ordinal)]);

    /// <summary>A group gives exactly these roles to exactly these people from now on.</summary>
    /// <param name="customerId">Whose it is; null: the vendor's.</param>
    /// <param name="which">The group that is changed; null: one more.</param>
    /// <param name="name">What it is called then.</param>
    /// <param name="roles">All its roles.</param>
    /// <param name="members">All its people.</param>
    public static StepUpSubject SetGroup(Guid? customerId, Guid? which, string name, IReadOnlyCollection<string> roles, IEnumerable<Guid> members) =>
        Of(ChangeRole, ["group", customerId?.ToString("N") ?? "", which?.ToString("N") ?? "", name, roles.Count.ToString(CultureInfo.InvariantCulture), .. roles.Order(StringComparer.Ordinal), .. members.Order().Select(id => id.ToString("N"))]);

    /// <summary>A group goes away, and these people lose what they hold through it.</summary>
    public static StepUpSubject RemoveGroup(Guid which, IEnumerable<Guid> members) => Of(ChangeRole, ["remove-group", which.ToString("N"), .. members.Order().Select(id => id.ToString("N"))]);

    /// <summary>Somebody who was stopped may sign in again, with these roles.</summary>
    public static StepUpSubject Enable(Guid personId, IEnumerable<string> roles) => Of(ChangeRole, ["enable", personId.ToString("N"), .. roles.Order(StringComparer.Ordinal)]);

    /// <summary>Something that one signs in with is added or removed.</summary>
    /// <param name="personId">Whose.</param>
    /// <param name="change">What is done, such as <c>add-passkey</c>.</param>
    /// <param name="which">To which, by name or id.</param>
    public static StepUpSubject Enrol(Guid personId, string change, string which) => Of(EnrolDevice, [personId.ToString("N"), change, which]);

    /// <summary>A program without a browser is signed in as this person.</summary>
    public static StepUpSubject SignInDevice(Guid personId, Guid which, string agent) => Of(EnrolDevice, ["device", personId.ToString("N"), which.ToString("N"), agent]);

    /// <summary>A token is made with these rights.</summary>
    public static StepUpSubject Token(string name, Guid? customerId, int days, IReadOnlyList<string> scopes, IReadOnlyList<string> networks) =>
        Of(MakeToken, [name, customerId?.ToString("N") ?? "", days.ToString(CultureInfo.InvariantCulture), scopes.Count.ToString(CultureInfo.InvariantCulture), .. scopes, .. networks]);

    /// <summary>A token of one's own gets a successor.</summary>
    public static StepUpSubject Rotate(string tokenId, int overlapHours) => Of(MakeToken, ["rotate", tokenId, overlapHours.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>A service account is made with these rights.</summary>
    public static StepUpSubject ServiceAccount(string name, Guid? customerId, Guid ownerId, IReadOnlyList<string> scopes, IReadOnlyList<string> networks) =>
        Of(GrantScope, ["make", name, customerId?.ToString("N") ?? "", ownerId.ToString("N"), scopes.Count.ToString(CultureInfo.InvariantCulture), .. scopes, .. networks]);

    /// <summary>A service account gets one more right, which somebody else asked for.</summary>
    public static StepUpSubject Grant(Guid accountId, Guid requestId, string scope) => Of(GrantScope, ["grant", accountId.ToString("N"), requestId.ToString("N"), scope]);

    /// <summary>A service account that was stopped may call again.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="scopes">All that it may.</param>
    public static StepUpSubject EnableAccount(Guid accountId, IEnumerable<string> scopes) => Of(GrantScope, ["enable", accountId.ToString("N"), .. scopes]);

    /// <summary>Somebody else answers for a service account.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="ownerId">Who does from then on.</param>
    /// <param name="scopes">All that it may.</param>
    public static StepUpSubject ChangeOwner(Guid accountId, Guid ownerId, IEnumerable<string> scopes) => Of(GrantScope, ["owner", accountId.ToString("N"), ownerId.ToString("N"), .. scopes]);

    /// <summary>A service account gets something to prove itself with.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="kind">token, secret or key.</param>
    /// <param name="days">How long it is good.</param>
    /// <param name="rest">All else that is said of it, each in its place.</param>
    public static StepUpSubject Credential(Guid accountId, string kind, int days, IReadOnlyList<string> rest) =>
        Of(MakeToken, ["credential", accountId.ToString("N"), kind, days.ToString(CultureInfo.InvariantCulture), .. rest]);

    /// <summary>Names and addresses beside an audit log are erased: a person's, or those of one entry.</summary>
    public static StepUpSubject ErasePersonal(Guid customerId, string? subject, Guid? entry) => Of(ErasePersonalValues, [customerId.ToString("N"), subject ?? "", entry?.ToString("N") ?? ""]);

    /// <summary>A billing period is closed with exactly what its preview said.</summary>
    /// <param name="periodId">The period.</param>
    /// <param name="preview">The preview's ETag.</param>
    /// <param name="waived">What is put up with.</param>
    public static StepUpSubject Close(Guid periodId, string preview, IEnumerable<string> waived) => Of(ClosePeriod, [periodId.ToString("N"), preview, .. waived.Order(StringComparer.Ordinal)]);

    // Each field with its length before it, so that no two lists of fields give the same bytes.
    private static StepUpSubject Of(string purpose, IReadOnlyList<string> fields)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (var field in fields.Prepend(purpose).Prepend("mc-step-up v1"))
        {
            var bytes = Encoding.UTF8.GetBytes(field);
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return new StepUpSubject(purpose, Base64Url.EncodeToString(hash.GetHashAndReset()));
    }
}
