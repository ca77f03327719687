using System.Net.Http.Headers;
using MissionControl.ClusterAgent.CallHome;

namespace MissionControl.ClusterAgent.Product;

/// <summary>Asks the product by GET. Its address is the customer's own; without TLS it must be on this machine.</summary>
public sealed class HttpProduct : IProduct
{
    /// <inheritdoc />
    public Action<string, string, string>? Tell { get; set; }

    private const int MostBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly HttpClient http;
    private readonly Uri url;
    private readonly string? tokenFile;

    /// <summary>Asks at an address.</summary>
    /// <param name="url">Where the document is.</param>
    /// <param name="tokenFile">File with a bearer token for it; read anew each time, so that it can be changed.</param>
    /// <param name="caFile">PEM of a further CA.</param>
    public HttpProduct(Uri url, string? tokenFile, string? caFile)
    {
        (this.url, this.tokenFile) = (url, tokenFile);
        var handler = Transport.Handler(caFile, null);
        handler.UseProxy = false;
        http = new HttpClient(handler) { Timeout = Patience, MaxResponseContentBufferSize = MostBytes };
    }

    /// <inheritdoc />
    public async Task<ProductReading> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            if (tokenFile is not null)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(tokenFile, cancellationToken)).Trim());
            }

            using var response = await http.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                throw new ProductException($"The product answered {(int)response.StatusCode}.");
            }

            var state = ProductDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            return new ProductReading(state, TimeSpan.Zero, state.Events);
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProductException($"The product did not answer within {Patience.TotalSeconds} s.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or UnauthorizedAccessException)
        {
            throw new ProductException($"The product could not be asked: {exception.Message}");
        }
    }

    /// <inheritdoc />
    public void Kept()
    {
        // It listens to nobody; events are known by their ids.
    }

    /// <inheritdoc />
    public void Dispose() => http.Dispose();
}
