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

    /// <summary>Where clusters call home, as far as this process knows; null when that door is another process's.</summary>
    public Uri? CallHome { get; set; }
}
