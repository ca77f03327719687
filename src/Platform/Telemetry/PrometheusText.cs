using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace MissionControl.Platform.Telemetry;

/// <summary>Collects the process's meters and writes them in the Prometheus text format, for scrapers without OTLP.</summary>
public sealed class PrometheusText : IDisposable
{
    private static readonly double[] Buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 50, 100, 500, 1000];
    private readonly ConcurrentDictionary<(string Name, string Labels), Series> all = new();
    private readonly MeterListener listener = new();

    /// <summary>Begins to listen to our own meters and the web server's.</summary>
    public PrometheusText()
    {
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith("MissionControl.", StringComparison.Ordinal)
                || instrument.Meter.Name is "Microsoft.AspNetCore.Server.Kestrel" or "System.Runtime" || instrument.Name == "http.server.request.duration")
            {
                listener.EnableMeasurementEvents(instrument, Describe(instrument));
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Record((Known)state!, value, tags));
        listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Record((Known)state!, value, tags));
        listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Record((Known)state!, value, tags));
        listener.Start();
    }

    /// <summary>Everything measured so far.</summary>
    public string Write()
    {
        listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var group in all.OrderBy(series => series.Key.Name, StringComparer.Ordinal).GroupBy(series => (series.Key.Name, series.Value.Kind)))
        {
            text.Append("# TYPE ").Append(group.Key.Name).Append(' ').Append(group.Key.Kind).Append('\n');
            foreach (var ((name, labels), series) in group)
            {
                series.Write(text, name, labels);
            }
        }

        return text.ToString();
    }

    /// <inheritdoc />
    public void Dispose() => listener.Dispose();

    private void Record(Known known, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        // Most of what is counted often has no labels: its series is found without a look-up.
        var series = tags.IsEmpty ? known.Unlabelled ??= SeriesOf(known, "") : SeriesOf(known, Labels(tags));
        if (known.IsObservable)
        {
            series.Set(value);
        }
        else
        {
            series.Add(value);
        }
    }

    private Series SeriesOf(Known known, string labels) => all.GetOrAdd((known.Name, labels), static (_, kind) => new Series(kind), known.Kind);

    private static Known Describe(Instrument instrument)
    {
        var kind = instrument switch
        {
            { IsObservable: true } when instrument.GetType().Name.StartsWith("ObservableCounter", StringComparison.Ordinal) => "counter",
            { IsObservable: true } => "gauge",
            _ when instrument.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal) => "histogram",
            _ when instrument.GetType().Name.StartsWith("Counter", StringComparison.Ordinal) => "counter",
            _ => "gauge",
        };
        return new Known(instrument.Name.Replace('.', '_').Replace('-', '_') + (kind == "counter" ? "_total" : ""), kind, instrument.IsObservable);
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        var text = new StringBuilder();
        foreach (var tag in tags)
        {
            var value = Convert.ToString(tag.Value, CultureInfo.InvariantCulture)?.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal);
            text.Append(text.Length == 0 ? "" : ",").Append(tag.Key.Replace('.', '_')).Append("=\"").Append(value).Append('"');
        }

        return text.ToString();
    }

    /// <summary>An instrument under the name that it has in the text.</summary>
    private sealed class Known(string name, string kind, bool isObservable)
    {
        public string Name => name;

        public string Kind => kind;

        public bool IsObservable => isObservable;

        public Series? Unlabelled { get; set; }
    }

    private sealed class Series(string kind)
    {
        private readonly Lock sync = new();
        private readonly long[] buckets = new long[Buckets.Length];
        private double sum;
        private long count;

        public string Kind => kind;

        public void Set(double value)
        {
            lock (sync)
            {
                sum = value;
            }
        }

        public void Add(double value)
        {
            lock (sync)
            {
                sum += value;
                count++;
                for (var i = 0; kind == "histogram" && i < Buckets.Length; i++)
                {
                    if (value <= Buckets[i])
                    {
                        buckets[i]++;
                    }
                }
            }
        }

        public void Write(StringBuilder text, string name, string labels)
        {
            lock (sync)
            {
                if (kind != "histogram")
                {
                    Line(text, name, labels, sum);
                    return;
                }

                var lead = labels.Length == 0 ? "" : labels + ",";
                for (var i = 0; i < Buckets.Length; i++)
                {
                    Line(text, name + "_bucket", string.Create(CultureInfo.InvariantCulture, $"{lead}le=\"{Buckets[i]}\""), buckets[i]);
                }

                Line(text, name + "_bucket", $"{lead}le=\"+Inf\"", count);
                Line(text, name + "_sum", labels, sum);
                Line(text, name + "_count", labels, count);
            }
        }

        private static void Line(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0)
            {
                text.Append('{').Append(labels).Append('}');
            }

            text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        }
    }
}
