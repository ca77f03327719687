using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Cryptography.KeyDerivation;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using MissionControl.Contracts.Api;
using MissionControl.Identity.People;

namespace MissionControl.Identity.SignIn;

/// <summary>
/// Hashes passwords with the framework's hasher (PBKDF2, HMAC-SHA-512), a few at a time: strangers can ask for it, and it is meant to
/// be slow. Nobody here learns whether there is an account: without one the same work is done for nothing.
/// </summary>
internal sealed class Passwords : IDisposable
{
    public const int Shortest = 12;
    public const int Longest = 200;

    /// <summary>How often a password is hashed: of OWASP's advice for HMAC-SHA-512.</summary>
    public const int Iterations = 210_000;

    /// <summary>Requests that wait for theirs; who comes then is told to come again.</summary>
    private const int MaxWaiting = 64;

    private readonly PasswordHasher<Person> hasher;
    private readonly SemaphoreSlim gate = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly string nobodys;
    private readonly BreachedPasswords breached;
    private int waiting;

    public Passwords(IOptions<IdentityOptions> options, IOptions<PasswordHasherOptions> hashing)
    {
        breached = new BreachedPasswords(options.Value.BreachedPasswordsFile);
        hasher = new PasswordHasher<Person>(hashing);
        nobodys = Nobodys(hashing.Value.IterationCount);
    }

    /// <summary>A place among those whose password is looked at, until it is disposed; null: there are too many.</summary>
    public IDisposable? TryTakeTurn()
    {
        if (Interlocked.Increment(ref waiting) <= MaxWaiting)
        {
            return new Turn(this);
        }

        Interlocked.Decrement(ref waiting);
        return null;
    }

    public Task<string> HashAsync(string password, CancellationToken cancellationToken) => InTurnAsync(() => hasher.HashPassword(null!, password), cancellationToken);

    /// <summary>Whether a password is a person's; for nobody it takes as long and is false.</summary>
    public Task<bool> IsRightAsync(Person? person, string password, CancellationToken cancellationToken) => InTurnAsync(() =>
        hasher.VerifyHashedPassword(null!, person?.PasswordHash ?? nobodys, password) != PasswordVerificationResult.Failed && person?.PasswordHash is not null, cancellationToken);

    /// <summary>What is wrong with a password that somebody chose: it is too short or known to thieves. Which characters it is made of is theirs to choose.</summary>
    public IEnumerable<FieldError> Mistakes(string pointer, string? password)
    {
        if (password is not { Length: >= Shortest and <= Longest })
        {
            yield return new FieldError(pointer, "length", $"A password has {Shortest} to {Longest} characters; any characters will do. Four or five words that do not belong together are good.");
        }
        else if (breached.Holds(password))
        {
            yield return new FieldError(pointer, "breached", "This password stands in a list of stolen ones, which thieves try first. Choose another.");
        }
    }

    public void Dispose()
    {
        gate.Dispose();
        breached.Dispose();
    }

    // In the framework's third format (a one, PRF, iterations, length of the salt, salt, hash): what no password is known to lead to, so that
    // nothing needs to be hashed for it.
    private static string Nobodys(int iterations)
    {
        var hash = RandomNumberGenerator.GetBytes(13 + 16 + 32);
        hash[0] = 1;
        BinaryPrimitives.WriteInt32BigEndian(hash.AsSpan(1), (int)KeyDerivationPrf.HMACSHA512);
        BinaryPrimitives.WriteInt32BigEndian(hash.AsSpan(5), iterations);
        BinaryPrimitives.WriteInt32BigEndian(hash.AsSpan(9), 16);
        return Convert.ToBase64String(hash);
    }

    private async Task<T> InTurnAsync<T>(Func<T> hash, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            // Not on a thread that others' requests wait for.
            return await Task.Run(hash, CancellationToken.None);
        }
        finally
        {
            gate.Release();
        }
    }

    private sealed class Turn(Passwords passwords) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref passwords.waiting);
    }
}
