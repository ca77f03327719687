using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using MissionControl.Cli.Api;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;
using MissionControl.Client;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.Cli.PriceBooks;

/// <summary><c>mc price-books</c>: price sheets from files and to files.</summary>
internal static class PriceBooksCommand
{
    private const string Codes = "Exit codes: 0 done; 1 the server refused, or something is wrong with the sheet: each error with its line; 2 wrong use, not signed in, or the server cannot be reached; 130 interrupted.";

    private const long LongestSheet = 1024 * 1024;

    // Its encoder escapes every character that could steer a terminal.
    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Web) { WriteIndented = true };

    public static Command Create() => new("price-books", $"""
        Check, import, export and publish price sheets (YAML, CSV or JSON).

        {Codes}

        Examples:
          mc price-books check BOOK prices.yaml
          mc price-books import BOOK prices.yaml
          mc price-books export BOOK 1 --format csv
          mc price-books publish BOOK 1 --if-match 1
        """) { Check(), Import(), Export(), Publish() };

    private static Command Check()
    {
        var (book, file, output) = (Book(), SheetFile(), Output());
        var command = new Command("check", $"""
            Check a price sheet, and keep nothing: every error at once, as FILE:LINE:COLUMN.

            {Codes}

            Examples:
              mc price-books check 01890a5d-ac96-774b-bcce-b302099a8057 prices.yaml
              mc price-books check 01890a5d-ac96-774b-bcce-b302099a8057 prices.csv --output json
            """) { book, file, output };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async () =>
        {
            var path = parsed.GetValue(file)!;
            var result = Read<SheetCheckResult>(await SendAsync(new Call(HttpMethod.Post, $"{parsed.GetValue(book)}/versions/check") { Sheet = await SheetAsync(path, cancellationToken), Type = TypeOf(path) }, cancellationToken));
            Say(parsed, parsed.GetValue(output), result, result.Valid ? $"{Printable.Line(path)} is right: {result.Rates} rates." : null);
            Complain(parsed, path, result.Errors);
            if (!result.Valid)
            {
                throw new CommandFailure($"{result.Errors.Count} errors.", McCommand.Refused);
            }
        }, cancellationToken));
        return command;
    }

    private static Command Import()
    {
        var (book, file, output, replace) = (Book(), SheetFile(), Output(), new Option<int?>("--replace") { Description = "The number of the draft that it replaces; default: it is a new one." });
        var version = Match("With --replace: the version that was read, the number in ETag.");
        var command = new Command("import", $"""
            Import a price sheet as a draft. Nothing costs anything else until it is published.

            {Codes}

            Examples:
              mc price-books import 01890a5d-ac96-774b-bcce-b302099a8057 prices.yaml
              mc price-books import 01890a5d-ac96-774b-bcce-b302099a8057 prices.csv --replace 2 --if-match 1 --output json
            """) { book, file, replace, version, output };
        command.Validators.Add(result => Together(result, replace, version));
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async () =>
        {
            var (path, number) = (parsed.GetValue(file)!, parsed.GetValue(replace));
            var call = number is null ? new Call(HttpMethod.Post, $"{parsed.GetValue(book)}/versions") : new Call(HttpMethod.Put, $"{parsed.GetValue(book)}/versions/{Text(number.Value)}");
            try
            {
                Tell(parsed, parsed.GetValue(output), await SendAsync(call with { Sheet = await SheetAsync(path, cancellationToken), Type = TypeOf(path), Version = parsed.GetValue(version) }, cancellationToken));
            }
            catch (ApiException refusal) when (refusal.Problem?.Errors is [{ Line: not null }, ..] errors)
            {
                Complain(parsed, path, errors);
                throw new CommandFailure($"{errors.Count} errors; nothing was imported.", McCommand.Refused);
            }
        }, cancellationToken));
        return command;
    }

    private static Command Export()
    {
        var (book, number, format) = (Book(), Number(), new Option<string>("--format") { Description = "yaml, csv or json.", DefaultValueFactory = _ => "yaml" });
        format.AcceptOnlyFromAmong("yaml", "csv", "json");
        var command = new Command("export", $"""
            Write the price sheet of a version to standard output. Imported again it says the same.

            {Codes}

            Examples:
              mc price-books export 01890a5d-ac96-774b-bcce-b302099a8057 1 > prices.yaml
              mc price-books export 01890a5d-ac96-774b-bcce-b302099a8057 1 --format csv > prices.csv
            """) { book, number, format };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async () =>
            await (await SendAsync(new Call(HttpMethod.Get, $"{parsed.GetValue(book)}/versions/{Text(parsed.GetValue(number))}/content") { Accept = TypeOf($".{parsed.GetValue(format)}") }, cancellationToken)).WriteBodyAsync(), cancellationToken));
        return command;
    }

    private static Command Publish()
    {
        var (book, number, output, version) = (Book(), Number(), Output(), Match("The version that was read, the number in ETag: what is published is what you saw."));
        version.Required = true;
        var key = new Option<string?>("--idempotency-key") { Description = "16 to 100 characters: the same key again is the same change. Default: a new one." };
        var command = new Command("publish", $"""
            Publish a draft: from its date on these prices count, and they never change again.

            {Codes}

            Examples:
              mc price-books publish 01890a5d-ac96-774b-bcce-b302099a8057 1 --if-match 1
              mc price-books publish 01890a5d-ac96-774b-bcce-b302099a8057 1 --if-match 1 --output json
            """) { book, number, version, key, output };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async () =>
        {
            var call = new Call(HttpMethod.Post, $"{parsed.GetValue(book)}/versions/{Text(parsed.GetValue(number))}/publish") { Version = parsed.GetValue(version), Key = parsed.GetValue(key) ?? Guid.CreateVersion7().ToString() };
            try
            {
                Tell(parsed, parsed.GetValue(output), await SendAsync(call, cancellationToken));
            }
            catch (Exception exception) when (ApiCommand.MayHaveBeenDone(exception))
            {
                parsed.InvocationConfiguration.Error.WriteLine($"Whether it was published is not known: --idempotency-key {call.Key} makes it the same change.");
                throw;
            }
        }, cancellationToken));
        return command;
    }

    private static Argument<Guid> Book() => new("BOOK") { Description = "The price book's id." };

    private static Argument<int> Number() => new("VERSION") { Description = "The number of the version." };

    private static Argument<string> SheetFile() => new("FILE") { Description = "The price sheet; its name ends with .yaml, .yml, .csv or .json." };

    private static Option<long?> Match(string says) => new("--if-match") { Description = says };

    private static Option<string> Output()
    {
        var output = new Option<string>("--output") { Description = "How to say it: text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        return output;
    }

    private static void Together(CommandResult result, Option<int?> replace, Option<long?> version)
    {
        if (result.GetResult(replace) is null != result.GetResult(version) is null)
        {
            result.AddError("--replace needs --if-match, and nothing else takes it.");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string TypeOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".yaml" or ".yml" => "application/yaml",
        ".csv" => "text/csv",
        ".json" => "application/json",
        _ => throw new CommandFailure("The name of a price sheet ends with .yaml, .yml, .csv or .json."),
    };

    private static async Task<byte[]> SheetAsync(string path, CancellationToken cancellationToken)
    {
        _ = TypeOf(path);
        return new FileInfo(path).Length <= LongestSheet ? await File.ReadAllBytesAsync(path, cancellationToken) : throw new CommandFailure($"{Printable.Line(path)} is longer than 1 MiB.");
    }

    private static async Task<ApiAnswer> SendAsync(Call call, CancellationToken cancellationToken)
    {
        using var person = Person.SignedIn();
        var answer = await person.SendAsync(token => call.SendAsync(person, token, cancellationToken), cancellationToken);
        return answer.IsDone ? answer : throw new ApiException(answer.Status, answer.Problem);
    }

    private static T Read<T>(ApiAnswer answer) => JsonSerializer.Deserialize<T>(answer.Body, JsonSerializerOptions.Web) ?? throw new JsonException();

    private static void Tell(ParseResult parsed, string? output, ApiAnswer answer)
    {
        var version = Read<PriceBookVersionItem>(answer);
        Say(parsed, output, version, string.Create(CultureInfo.InvariantCulture, $"Version {version.Number}, {Printable.Line(version.State)}: {version.Rates} rates, in force from {version.EffectiveFrom:yyyy-MM-dd} (UTC). Its ETag is {version.Version}."));
    }

    private static void Say<T>(ParseResult parsed, string? output, T item, string? words)
    {
        if (output == "json" || words is not null)
        {
            parsed.InvocationConfiguration.Output.WriteLine(output == "json" ? JsonSerializer.Serialize(item, Form) : words);
        }
    }

    // As compilers say it, so that an editor finds the place.
    private static void Complain(ParseResult parsed, string path, IReadOnlyList<FieldError> errors)
    {
        foreach (var error in errors)
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"{(error.Line is { } line ? $":{line}" : "")}{(error.Column is { } column ? $":{column}" : "")}");
            parsed.InvocationConfiguration.Error.WriteLine($"{Printable.Line(path)}{place}: {Printable.Line(error.Code)}: {Printable.Line(error.Detail)}");
        }
    }

    /// <summary>A call of the API below the price books.</summary>
    private sealed record Call(HttpMethod Method, string Path)
    {
        private static readonly TimeSpan Longest = TimeSpan.FromSeconds(100);

        public byte[]? Sheet { get; init; }

        public string? Type { get; init; }

        public string Accept { get; init; } = "application/json";

        public long? Version { get; init; }

        public string Key { get; init; } = Guid.CreateVersion7().ToString();

        public async Task<ApiAnswer> SendAsync(Person person, string token, CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(Method, ApiPath.At(person.Server, $"/api/v1/licensing/price-books/{Path}"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            request.Headers.Accept.ParseAdd(Accept);
            if (Method != HttpMethod.Get)
            {
                request.Headers.Add("Idempotency-Key", Key);
            }

            if (Version is { } version)
            {
                request.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{version}\""));
            }

            if (Sheet is not null)
            {
                request.Content = new ByteArrayContent(Sheet) { Headers = { ContentType = new MediaTypeHeaderValue(Type!) } };
            }

            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            end.CancelAfter(Longest);
            using var response = await person.Connection.Any.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end.Token);
            return await ApiAnswer.ReadAsync(response, end.Token);
        }
    }
}
