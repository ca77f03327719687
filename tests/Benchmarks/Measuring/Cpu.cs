using System.Globalization;

namespace MissionControl.Benchmarks.Measuring;

/// <summary>Processor time as the kernel counts it, to tell our own processes from everything else on the machine.</summary>
/// <param name="Machine">Busy time of all cores, in ticks of 10 ms.</param>
/// <param name="Own">Time of the given processes, in the same ticks.</param>
internal readonly record struct Cpu(long Machine, long Own)
{
    private const double TicksPerSecond = 100;

    /// <summary>Reads both clocks.</summary>
    public static Cpu Read(params int[] processes)
    {
        // user nice system idle iowait irq softirq steal; idle and iowait are not busy.
        var line = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return new Cpu(line[0] + line[1] + line[2] + line[5] + line[6] + line[7], processes.Sum(Of));
    }

    /// <summary>Cores that everything else used on average since <paramref name="before"/>.</summary>
    public double OthersSince(Cpu before, TimeSpan elapsed) => Math.Max(0, (Machine - before.Machine - (Own - before.Own)) / TicksPerSecond / elapsed.TotalSeconds);

    /// <summary>Processor seconds of a process and its threads.</summary>
    public static double Seconds(int process) => Of(process) / TicksPerSecond;

    private static long Of(int process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
