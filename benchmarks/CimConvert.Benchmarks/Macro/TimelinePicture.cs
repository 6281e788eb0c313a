using System.Globalization;
using System.Text;

namespace CimConvert.Benchmarks.Macro;

/// <summary>A timeline as SVG: a lane for each stage; how high it is filled is how much of each moment went into what.</summary>
internal static class TimelinePicture
{
    private const int LabelWidth = 150;
    private const int Width = 900;
    private const int LaneHeight = 26;
    private const int Gap = 6;
    private const int Top = 58;
    private const int Columns = 450;

    /// <summary>By state; waiting for input is left empty.</summary>
    private static readonly (int State, string Colour, string What)[] s_drawn = [(1, "#2f6db5", "works"), (3, "#e0a13c", "waits for output")];

    public static string Draw(Timeline timeline)
    {
        var height = Top + (timeline.Stages.Count * (LaneHeight + Gap)) + 30;
        var svg = new StringBuilder();
        Line(svg, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{LabelWidth + Width + 20}" height="{height}" font-family="sans-serif" font-size="12">""");
        Line(svg, $"""<rect width="100%" height="100%" fill="#ffffff"/><text x="10" y="20" font-size="14">{timeline.Title}</text>""");
        var legend = LabelWidth;
        foreach (var (_, colour, what) in s_drawn)
        {
            Line(svg, $"""<rect x="{legend}" y="32" width="12" height="12" fill="{colour}"/><text x="{legend + 18}" y="42">{what}</text>""");
            legend += 150;
        }

        Line(svg, $"""<rect x="{legend}" y="32" width="12" height="12" fill="#eef0f3"/><text x="{legend + 18}" y="42">waits for input</text>""");
        for (var i = 0; i < timeline.Stages.Count; i++)
        {
            DrawLane(svg, timeline.Stages[i], timeline.Length, Top + (i * (LaneHeight + Gap)));
        }

        DrawAxis(svg, timeline.Length, height - 24);
        Line(svg, $"</svg>");
        return svg.ToString();
    }

    private static void DrawLane(StringBuilder svg, StageTimes stage, double length, int y)
    {
        var name = stage.Layer < 0 ? stage.Stage : string.Create(CultureInfo.InvariantCulture, $"layer {stage.Layer} {stage.Stage}");
        var (begin, end) = (X(stage.Begin, length), X(stage.End, length));
        Line(svg, $"""<text x="10" y="{y + 17}">{name}</text><rect x="{begin:f1}" y="{y}" width="{Math.Max(1, end - begin):f1}" height="{LaneHeight}" fill="#eef0f3"/>""");
        var below = new double[Columns];
        foreach (var (state, colour, _) in s_drawn)
        {
            var shares = Shares(stage, state, length);
            var path = new StringBuilder();
            for (var column = 0; column < Columns; column++)
            {
                if (shares[column] > 0.005)
                {
                    var bottom = y + (LaneHeight * (1 - below[column]));
                    path.Append(CultureInfo.InvariantCulture, $"M{LabelWidth + (column * 2)} {bottom:f1}v{-LaneHeight * shares[column]:f1}h2v{LaneHeight * shares[column]:f1}z");
                    below[column] += shares[column];
                }
            }

            Line(svg, $"""<path d="{path}" fill="{colour}"/>""");
        }
    }

    /// <summary>Of each column's time, how much went into a state.</summary>
    private static double[] Shares(StageTimes stage, int state, double length)
    {
        var shares = new double[Columns];
        var columnLength = length / Columns;
        foreach (var stretch in stage.Stretches.Where(stretch => stretch.State == state))
        {
            var last = Math.Min(Columns - 1, (int)(stretch.To / columnLength));
            for (var column = (int)(stretch.From / columnLength); column <= last; column++)
            {
                var (from, to) = (column * columnLength, (column + 1) * columnLength);
                shares[column] += Math.Max(0, Math.Min(to, stretch.To) - Math.Max(from, stretch.From)) / columnLength;
            }
        }

        return shares;
    }

    private static void DrawAxis(StringBuilder svg, double length, int y)
    {
        var step = Math.Pow(10, Math.Floor(Math.Log10(length)));
        step = length / step < 3 ? step / 5 : length / step < 6 ? step / 2 : step;
        for (var i = 0; i * step <= length; i++)
        {
            var x = X(i * step, length);
            Line(svg, $"""<line x1="{x:f1}" y1="{Top}" x2="{x:f1}" y2="{y}" stroke="#000000" stroke-opacity="0.12"/><text x="{x:f1}" y="{y + 14}" text-anchor="middle">{i * step:0.##} s</text>""");
        }
    }

    private static double X(double seconds, double length) => LabelWidth + (seconds / length * Width);

    private static void Line(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
