using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using MissionControl.Platform.Http;
using Swashbuckle.AspNetCore.Swagger;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace MissionControl.Host;

/// <summary>The API's own description, generated from the endpoints and committed as <c>docs/api/openapi.v1.json</c>.</summary>
internal static class ApiDescription
{
    public const string Document = "v1";

    public static void AddApiDescription(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(generator =>
        {
            generator.SwaggerDoc(Document, new OpenApiInfo { Title = "Mission Control", Version = "1", Description = "REST API of Mission Control. Bearer tokens only." });
            generator.DescribeAllParametersInCamelCase();
            generator.OperationFilter<SortFilter>();
            generator.ParameterFilter<RepeatedFilter>();
            generator.CustomSchemaIds(type => type.ToString().Replace("MissionControl.Contracts.Api.", "", StringComparison.Ordinal).Replace('+', '.').Replace("`1", "", StringComparison.Ordinal).Replace("[", "Of", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal));
            generator.AddSecurityDefinition("bearer", new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API token, mca_…" });
            foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "MissionControl.*.xml"))
            {
                generator.IncludeXmlComments(file);
            }
        });
    }

    // A process of the distributed shape has a part of the endpoints only; everybody is told of the whole API, as it was committed.
    public static void MapApiDescription(this IEndpointRouteBuilder routes) => routes
        .MapGet("/api/v1/openapi.json", static () => Results.Stream(Assembly.GetExecutingAssembly().GetManifestResourceStream("openapi.v1.json")!, "application/json"))
        .AllowAnonymous().OnSurface(Surface.Api).ExcludeFromDescription().WithName("DescribeApi").WithSummary("This API in OpenAPI");

    public static async Task<string> WriteAsync(ISwaggerProvider provider)
    {
        var document = provider.GetSwagger(Document);
        return await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1);
    }

    /// <summary>Names the orders of a list.</summary>
    private sealed class SortFilter : IOperationFilter
    {
        public void Apply(OpenApiOperation operation, OperationFilterContext context)
        {
            var sort = context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<SortNames>().SingleOrDefault();
            if (sort is not null && operation.Parameters?.Single(parameter => parameter.Name == "sort").Schema is OpenApiSchema schema)
            {
                schema.Enum = [.. sort.Names.Select(name => JsonValue.Create(name))];
                schema.Default = sort.Usual;
            }
        }
    }

    /// <summary>A parameter that may be repeated may be left out as well.</summary>
    private sealed class RepeatedFilter : IParameterFilter
    {
        public void Apply(IOpenApiParameter parameter, ParameterFilterContext context)
        {
            if (parameter is OpenApiParameter { In: ParameterLocation.Query, Schema.Type: JsonSchemaType.Array } repeated)
            {
                repeated.Required = false;
            }
        }
    }
}
