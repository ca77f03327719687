using System.Globalization;

namespace MissionControl.Benchmarks.Measuring;

/// <summary>Prints a benchmark's lines and remembers whether a budget was missed.</summary>
internal sealed class Verdict
{
    private const string Format = "0.###";

    /// <summary>False once a budget was missed.</summary>
    public bool Passed { get; private set; } = true;

    /// <summary>Says what is measured: unit of work, durability, machine.</summary>
    public static Verdict Begin(string name, string unit, string durability)
    {
        Console.WriteLine($"{name}");
        Console.WriteLine($"  unit        {unit}");
        Console.WriteLine($"  durability  {durability}");
        Console.WriteLine($"  machine     {Machine.Describe()}");
        Console.WriteLine($"  date        {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC");
        return new Verdict();
    }

    /// <summary>A figure that has no budget.</summary>
    public static void Note(string text) => Console.WriteLine($"  {text}");

    /// <summary>A figure that must be at least its budget.</summary>
    public void AtLeast(string what, double figure, double budget, string unit) => Judge(what, figure, $"at least {Text(budget)}", unit, figure >= budget);

    /// <summary>A figure that must be at most its budget.</summary>
    public void AtMost(string what, double figure, double budget, string unit) => Judge(what, figure, $"at most {Text(budget)}", unit, figure <= budget);

    /// <summary>Something that must hold.</summary>
    public void Holds(string what, bool holds)
    {
        Console.WriteLine($"  {(holds ? "ok  " : "MISS")}  {what}");
        Passed &= holds;
    }

    private static string Text(double value) => value.ToString(Format, CultureInfo.InvariantCulture);

    private void Judge(string what, double figure, string budget, string unit, bool met)
    {
        Console.WriteLine($"  {(met ? "ok  " : "MISS")}  {what}: {Text(figure)}{unit} (budget {budget}{unit})");
        Passed &= met;
    }
}
