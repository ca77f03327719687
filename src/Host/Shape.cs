using MissionControl.Platform.Messaging;
using MissionControl.Storage.PostgreSql;
using MissionControl.Storage.Sqlite;
using MissionControl.Storage.SqlServer;

namespace MissionControl.Host;

/// <summary>Which of the two shapes a process belongs to: embedded (SQLite, messages in process) or distributed (a database server and RabbitMQ).</summary>
/// <param name="Provider">sqlite, postgresql or sqlserver.</param>
/// <param name="ConnectionString">How to reach the database server; empty for SQLite.</param>
/// <param name="RabbitMq">How to reach the broker; null in the embedded shape.</param>
internal sealed record Shape(string Provider, string ConnectionString, RabbitMqSettings? RabbitMq)
{
    private static readonly string[] Servers = ["postgresql", "sqlserver"];

    /// <summary>True when roles run in processes of their own.</summary>
    public bool IsDistributed => RabbitMq is not null;

    /// <summary>Reads the shape; adds a sentence to <paramref name="errors"/> for everything that is missing or does not go together.</summary>
    public static Shape Read(IConfiguration configuration, List<string> errors)
    {
        var provider = configuration["Database:Provider"] ?? "sqlite";
        var connection = Secret(configuration, "Database:ConnectionString", errors);
        var rabbitMq = ReadRabbitMq(configuration, errors);
        if (provider != "sqlite" && !Servers.Contains(provider))
        {
            errors.Add($"Database:Provider '{provider}' is not known. Choose from: sqlite, {string.Join(", ", Servers)}.");
        }
        else if (provider == "sqlite" && rabbitMq is not null)
        {
            errors.Add("SQLite is one file for one process and does not go with RabbitMQ. Set Database:Provider to postgresql or sqlserver, or leave out RabbitMq:Address.");
        }
        else if (provider != "sqlite" && rabbitMq is null)
        {
            errors.Add($"Database:Provider {provider} belongs to the distributed shape, which needs RabbitMQ: set RabbitMq:Address, or leave out Database:Provider to run everything in one process with SQLite.");
        }

        if (provider != "sqlite" && string.IsNullOrWhiteSpace(connection))
        {
            errors.Add($"Database:Provider {provider} needs Database:ConnectionString, or Database:ConnectionStringFile with a file that holds it.");
        }

        return new Shape(provider, connection ?? "", rabbitMq);
    }

    /// <summary>Registers the database.</summary>
    public void AddStorage(IServiceCollection services, string sqliteFile)
    {
        if (Provider == "postgresql")
        {
            services.AddPostgreSqlStorage(ConnectionString);
        }
        else if (Provider == "sqlserver")
        {
            services.AddSqlServerStorage(ConnectionString);
        }
        else
        {
            services.AddSqliteStorage(sqliteFile);
        }
    }

    private static RabbitMqSettings? ReadRabbitMq(IConfiguration configuration, List<string> errors)
    {
        if (configuration["RabbitMq:Address"] is not { Length: > 0 } text)
        {
            return null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("amqp" or "amqps") || address.UserInfo.Length > 0)
        {
            errors.Add($"RabbitMq:Address must look like amqp://host:5672/ or amqps://host:5671/, without user and password; those stand in RabbitMq:User and RabbitMq:PasswordFile.");
            address = new Uri("amqp://localhost");
        }

        var password = Secret(configuration, "RabbitMq:Password", errors);
        if (configuration["RabbitMq:User"] is not { Length: > 0 } user || string.IsNullOrEmpty(password))
        {
            errors.Add("RabbitMq:Address needs RabbitMq:User, and RabbitMq:PasswordFile with a file that holds its password (or RabbitMq:Password).");
            (user, password) = ("", "");
        }

        return new RabbitMqSettings(address, user, password);
    }

    /// <summary>A value that may stand in a file of its own, as containers hand out secrets.</summary>
    private static string? Secret(IConfiguration configuration, string key, List<string> errors)
    {
        if (configuration[key + "File"] is not { Length: > 0 } file)
        {
            return configuration[key];
        }

        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            errors.Add($"{key}File: {exception.Message}");
            return null;
        }
    }
}
