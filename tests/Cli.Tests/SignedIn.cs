namespace MissionControl.Cli.Tests;

/// <summary>One host, and one person signed in there, for all who need them; one class after the other, since they all are that person.</summary>
[CollectionDefinition(Name)]
public sealed class SignedIn : ICollectionFixture<SignedInHost>
{
    public const string Name = "signed in";
}
