#pragma warning disable CA1028, CA1813, CA1019, CA1032, CA1051 // The shapes are given by the public documentation of the package this stands in for.

namespace Microsoft.SqlServer.Server;

/// <summary>Whether a routine reads the user's data.</summary>
public enum DataAccessKind
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>It reads.</summary>
    Read,
}

/// <summary>Whether a routine reads the server's system data.</summary>
public enum SystemDataAccessKind
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>It reads.</summary>
    Read,
}

/// <summary>How a user-defined type is written.</summary>
public enum Format
{
    /// <summary>Not said.</summary>
    Unknown,

    /// <summary>As its fields stand in memory.</summary>
    Native,

    /// <summary>By <see cref="IBinarySerialize"/>.</summary>
    UserDefined,
}

/// <summary>A user-defined type that writes and reads itself.</summary>
public interface IBinarySerialize
{
    /// <summary>Reads the value.</summary>
    void Read(BinaryReader r);

    /// <summary>Writes the value.</summary>
    void Write(BinaryWriter w);
}

/// <summary>A type is not a valid user-defined type.</summary>
public sealed class InvalidUdtException : SystemException
{
    internal InvalidUdtException()
    {
    }
}

/// <summary>Facets of a result or parameter.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Parameter | AttributeTargets.Property | AttributeTargets.ReturnValue)]
public class SqlFacetAttribute : Attribute
{
    /// <summary>Whether the length is fixed.</summary>
    public bool IsFixedLength { get; set; }

    /// <summary>Whether it may be null.</summary>
    public bool IsNullable { get; set; }

    /// <summary>Largest size.</summary>
    public int MaxSize { get; set; }

    /// <summary>Digits in all.</summary>
    public int Precision { get; set; }

    /// <summary>Digits after the point.</summary>
    public int Scale { get; set; }
}

/// <summary>A routine that is a function.</summary>
[AttributeUsage(AttributeTargets.Method)]
public class SqlFunctionAttribute : Attribute
{
    /// <summary>What user data it reads.</summary>
    public DataAccessKind DataAccess { get; set; }

    /// <summary>The method that fills a row.</summary>
    public string? FillRowMethodName { get; set; }

    /// <summary>Whether the same input always gives the same output.</summary>
    public bool IsDeterministic { get; set; }

    /// <summary>Whether it computes without rounding.</summary>
    public bool IsPrecise { get; set; }

    /// <summary>Its name on the server.</summary>
    public string? Name { get; set; }

    /// <summary>What system data it reads.</summary>
    public SystemDataAccessKind SystemDataAccess { get; set; }

    /// <summary>The result's columns.</summary>
    public string? TableDefinition { get; set; }
}

/// <summary>A method of a user-defined type.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SqlMethodAttribute : SqlFunctionAttribute
{
    /// <summary>Whether it is called on null.</summary>
    public bool InvokeIfReceiverIsNull { get; set; }

    /// <summary>Whether it changes the value.</summary>
    public bool IsMutator { get; set; }

    /// <summary>Whether it is called when an argument is null.</summary>
    public bool OnNullCall { get; set; } = true;
}

/// <summary>A user-defined aggregate.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class SqlUserDefinedAggregateAttribute(Format format) : Attribute
{
    /// <summary>The largest size of a value in bytes.</summary>
    public const int MaxByteSizeValue = 8000;

    /// <summary>How it is written.</summary>
    public Format Format { get; } = format;

    /// <summary>Whether equal values count once.</summary>
    public bool IsInvariantToDuplicates { get; set; }

    /// <summary>Whether nulls count.</summary>
    public bool IsInvariantToNulls { get; set; }

    /// <summary>Whether the order counts.</summary>
    public bool IsInvariantToOrder { get; set; }

    /// <summary>Whether the aggregate of nothing is null.</summary>
    public bool IsNullIfEmpty { get; set; }

    /// <summary>Largest size in bytes.</summary>
    public int MaxByteSize { get; set; }

    /// <summary>Its name on the server.</summary>
    public string? Name { get; set; }
}

/// <summary>A user-defined type.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class SqlUserDefinedTypeAttribute(Format format) : Attribute
{
    /// <summary>How it is written.</summary>
    public Format Format { get; } = format;

    /// <summary>Whether values sort as their bytes do.</summary>
    public bool IsByteOrdered { get; set; }

    /// <summary>Whether all values have one length.</summary>
    public bool IsFixedLength { get; set; }

    /// <summary>Largest size in bytes.</summary>
    public int MaxByteSize { get; set; }

    /// <summary>Its name on the server.</summary>
    public string? Name { get; set; }

    /// <summary>The method that checks a value.</summary>
    public string? ValidationMethodName { get; set; }
}
