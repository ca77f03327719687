namespace MissionControl.Platform.Http;

/// <summary>Where this process reaches the REST API; known once the listeners are bound.</summary>
public sealed class ApiAddress
{
    private Uri? value;

    /// <summary>The address.</summary>
    /// <exception cref="InvalidOperationException">The listeners are not bound yet.</exception>
    public Uri Value
    {
        get => value ?? throw new InvalidOperationException("The listeners are not bound yet.");
        set => this.value = value;
    }
}
