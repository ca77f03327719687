using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Customers by name.</summary>
    public Task<Page<CustomerItem>> ListCustomersAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<CustomerItem>>($"/api/v1/licensing/customers{query}", cancellationToken);

    /// <summary>One customer.</summary>
    public Task<CustomerItem> GetCustomerAsync(Guid id, CancellationToken cancellationToken) => GetAsync<CustomerItem>($"/api/v1/licensing/customers/{id}", cancellationToken);

    /// <summary>Creates a customer.</summary>
    public Task<CustomerItem> CreateCustomerAsync(CreateCustomerRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<CustomerItem>(HttpMethod.Post, "/api/v1/licensing/customers", request, precondition, cancellationToken);

    /// <summary>Changes a customer.</summary>
    public Task<CustomerItem> ChangeCustomerAsync(Guid id, ChangeCustomerRequest request, Precondition precondition, CancellationToken cancellationToken) =>
        SendAsync<CustomerItem>(HttpMethod.Patch, $"/api/v1/licensing/customers/{id}", request, precondition, cancellationToken);

    /// <summary>Licences and how they stand.</summary>
    public Task<Page<LicenseItem>> ListLicensesAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<LicenseItem>>($"/api/v1/licensing/licenses{query}", cancellationToken);

    /// <summary>One licence.</summary>
    public Task<LicenseItem> GetLicenseAsync(Guid id, CancellationToken cancellationToken) => GetAsync<LicenseItem>($"/api/v1/licensing/licenses/{id}", cancellationToken);

    /// <summary>The newest lease of a licence, as it was signed.</summary>
    public async Task<byte[]> GetLicenseLeaseAsync(Guid id, CancellationToken cancellationToken)
    {
        using var response = await RespondAsync(HttpMethod.Get, $"/api/v1/licensing/licenses/{id}/lease", null, null, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>Issues a licence.</summary>
    public Task<LicenseItem> IssueLicenseAsync(IssueLicenseRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<LicenseItem>(HttpMethod.Post, "/api/v1/licensing/licenses", request, precondition, cancellationToken);

    /// <summary>Renews a licence.</summary>
    public Task<LicenseItem> RenewLicenseAsync(Guid id, RenewLicenseRequest request, Precondition precondition, CancellationToken cancellationToken) =>
        SendAsync<LicenseItem>(HttpMethod.Post, $"/api/v1/licensing/licenses/{id}/renew", request, precondition, cancellationToken);

    /// <summary>Suspends, resumes or revokes a licence.</summary>
    /// <param name="id">The licence.</param>
    /// <param name="verb">suspend, resume or revoke.</param>
    /// <param name="request">Why.</param>
    /// <param name="precondition">The version that was read.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<LicenseItem> ChangeLicenseAsync(Guid id, string verb, LicenseReasonRequest request, Precondition precondition, CancellationToken cancellationToken) =>
        SendAsync<LicenseItem>(HttpMethod.Post, $"/api/v1/licensing/licenses/{id}/{verb}", request, precondition, cancellationToken);

    /// <summary>Contracts by number.</summary>
    public Task<Page<ContractItem>> ListContractsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<ContractItem>>($"/api/v1/licensing/contracts{query}", cancellationToken);

    /// <summary>One contract, with all its versions.</summary>
    public Task<ContractDetail> GetContractAsync(Guid id, CancellationToken cancellationToken) => GetAsync<ContractDetail>($"/api/v1/licensing/contracts/{id}", cancellationToken);

    /// <summary>The prices of a contract now.</summary>
    public Task<ContractRateCard> GetContractRateCardAsync(Guid id, CancellationToken cancellationToken) => GetAsync<ContractRateCard>($"/api/v1/licensing/contracts/{id}/rate-card", cancellationToken);

    /// <summary>Price books by name.</summary>
    public Task<Page<PriceBookItem>> ListPriceBooksAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<PriceBookItem>>($"/api/v1/licensing/price-books{query}", cancellationToken);

    /// <summary>One price book.</summary>
    public Task<PriceBookItem> GetPriceBookAsync(Guid id, CancellationToken cancellationToken) => GetAsync<PriceBookItem>($"/api/v1/licensing/price-books/{id}", cancellationToken);

    /// <summary>All versions of a price book, the newest first.</summary>
    public Task<Page<PriceBookVersionItem>> ListPriceBookVersionsAsync(Guid id, CancellationToken cancellationToken) => GetAsync<Page<PriceBookVersionItem>>($"/api/v1/licensing/price-books/{id}/versions", cancellationToken);

    /// <summary>The price sheet of a version.</summary>
    public Task<PriceSheetItem> GetPriceSheetAsync(Guid id, int number, CancellationToken cancellationToken) =>
        GetAsync<PriceSheetItem>(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/api/v1/licensing/price-books/{id}/versions/{number}/content"), cancellationToken);

    /// <summary>What a version changes against another one.</summary>
    public Task<PriceBookDiff> ComparePriceBookVersionsAsync(Guid id, int number, int against, CancellationToken cancellationToken) =>
        GetAsync<PriceBookDiff>(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/api/v1/licensing/price-books/{id}/versions/{number}/diff?against={against}"), cancellationToken);

    /// <summary>Consumption, and what is missing from it.</summary>
    public Task<UsageReport> GetUsageAsync(string query, CancellationToken cancellationToken) => GetAsync<UsageReport>($"/api/v1/licensing/usage{query}", cancellationToken);

    /// <summary>Hours by state.</summary>
    public Task<Page<UsageWindowItem>> ListUsageWindowsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<UsageWindowItem>>($"/api/v1/licensing/windows{query}", cancellationToken);

    /// <summary>One hour with its signed documents.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="window">First instant of the hour, such as 2026-03-01T14:00:00Z.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<UsageWindowDetail> GetUsageWindowAsync(Guid cluster, string window, CancellationToken cancellationToken) =>
        GetAsync<UsageWindowDetail>($"/api/v1/licensing/windows/{cluster}/{Uri.EscapeDataString(window)}", cancellationToken);
}
