package org.tokenrate.history;

import java.util.List;
import java.util.Map;

/**
 * A combination of parameters, over all states that have it.
 *
 * @param label the parameters that vary from row to row, e.g. {@code concurrency=16}
 * @param settings machine, JVM, model and dataset, in the order in which they first occur
 * @param breaks where the setting is another than at the state before
 * @param lines by setting, then by figure
 */
public record Row(
        String label,
        Map<String, String> parameters,
        List<Map<String, String>> settings,
        List<Break> breaks,
        List<Line> lines) {

    /**
     * A change of the setting: what differs on both sides of it says nothing of the commit.
     *
     * @param state the first of the other setting
     * @param text what is different
     */
    public record Break(int state, String text) {}

    /** The setting that the last state was measured in. */
    public int lastSetting() {
        int setting = 0;
        int state = -1;
        for (Line l : lines) {
            int last = l.points().get(l.points().size() - 1).state();
            if (last < state) continue;
            state = last;
            setting = l.setting();
        }
        return setting;
    }
}
