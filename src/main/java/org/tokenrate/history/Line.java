package org.tokenrate.history;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tokenrate.compare.Figure;
import org.tokenrate.compare.Sample;

/**
 * A figure of one combination of parameters in one setting.
 *
 * @param setting index in {@link Row#settings()}
 * @param points at least one, in order
 * @param changes in order
 * @param needed how many points it needs for a change of it alone to be seen; 0 if it has them
 */
public record Line(
        Figure figure, int setting, List<Point> points, List<ChangePoint> changes, int needed) {

    static Line of(Figure figure, int setting, List<Point> points, Detection detection) {
        double[] values = values(points);
        List<Detection.Change> found = detection.changes();
        var changes = new ArrayList<ChangePoint>();
        for (int i = 0; i < found.size(); i++) {
            Detection.Change c = found.get(i);
            int from = i == 0 ? 0 : found.get(i - 1).at();
            int to = i + 1 < found.size() ? found.get(i + 1).at() : values.length;
            double before = median(values, from, c.at());
            double after = median(values, c.at(), to);
            changes.add(new ChangePoint(c.at(), before, after, c.p(), c.adjustedP()));
        }
        return new Line(figure, setting, points, List.copyOf(changes), detection.needed());
    }

    static double[] values(List<Point> points) {
        return points.stream().mapToDouble(Point::value).toArray();
    }

    /** Faster or slower, in a word. */
    public String word(ChangePoint change) {
        return isSlower(change) ? "slower" : "faster";
    }

    public boolean isSlower(ChangePoint change) {
        return figure.worsening(change.change()) > 0;
    }

    /** Whether its last change, if there was one, was for the worse. */
    public boolean endsSlower() {
        return !changes.isEmpty() && isSlower(changes.get(changes.size() - 1));
    }

    private static double median(double[] values, int from, int to) {
        return Sample.median(Arrays.copyOfRange(values, from, to));
    }
}
