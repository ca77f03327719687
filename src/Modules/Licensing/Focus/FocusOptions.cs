using System.ComponentModel.DataAnnotations;

namespace MissionControl.Licensing.Focus;

/// <summary>What exports say of the vendor, section <c>Billing</c>.</summary>
internal sealed class FocusOptions
{
    /// <summary>Who bills.</summary>
    [Required, StringLength(200)]
    public string IssuerName { get; init; } = "Mission Control";

    /// <summary>What is billed.</summary>
    [Required, StringLength(200)]
    public string ServiceName { get; init; } = "Mission Control";
}
