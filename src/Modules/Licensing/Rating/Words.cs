using System.Text.Json;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Rating;

/// <summary>Enumerations as the API, documents and sheets write them: a name is part of what is signed and hashed.</summary>
internal static class Words
{
    /// <summary>snake_case.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>The value of a word; null: it is none.</summary>
    public static T? Read<T>(string? word)
        where T : struct, Enum => Enum.GetValues<T>().Where(value => Of(value) == word).Select(value => (T?)value).FirstOrDefault();

    /// <summary>All words, for whoever wrote another.</summary>
    public static string All<T>()
        where T : struct, Enum => string.Join(", ", Enum.GetValues<T>().Select(Of));
}

/// <summary>Scaled integers as decimal text.</summary>
internal static class Decimals
{
    /// <summary>With as many digits after the point as it needs: one text for one value.</summary>
    public static string Text(Int128 scaled, int scale)
    {
        var text = Quantity.Format(scaled, scale);
        return scale == 0 ? text : text.TrimEnd('0').TrimEnd('.');
    }
}
