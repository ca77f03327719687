namespace MissionControl.Licensing.Rating;

/// <summary>What usage is for.</summary>
internal static class Uses
{
    /// <summary>What is said of this environment of this cluster; else of such an environment of any; else of the contract.</summary>
    public static Use Of(ContractTerms terms, Guid cluster, string environment)
    {
        var said = terms.Environments.Where(one => one.Environment == environment && (one.ClusterId is null || one.ClusterId == cluster)).ToList();
        return (said.Find(one => one.ClusterId is not null) ?? said.FirstOrDefault())?.Use ?? terms.Use;
    }
}
