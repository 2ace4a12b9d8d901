package org.tokenrate.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.dataset.ShareGptDataset;
import org.tokenrate.model.ModelSource;
import org.tokenrate.report.JmhEntries;
import org.tokenrate.report.JmhResult;

/** A run goes on only with the models and datasets that it began with. */
final class SameInputs {
    private SameInputs() {}

    /**
     * @param measured each says what it was measured with
     * @throws IllegalArgumentException for the first file that changed, in one sentence
     */
    static void require(List<JmhEntries.Entry> measured) throws IOException {
        var seen = new HashSet<List<String>>();
        for (JmhEntries.Entry e : measured) {
            JmhResult r = e.result();
            if (!r.isRequestThroughput()) continue;
            Map<String, String> p = r.params();
            String model = p.getOrDefault("model", "");
            String format = p.getOrDefault("modelFormat", "");
            String ofModel = r.info("model_sha256");
            // An engine without a model has none.
            if (!ofModel.isEmpty() && seen.add(List.of(model, format))) {
                try (Checkpoint now = ModelSource.of(model, format).open()) {
                    require("model " + model, ofModel, now.sha256());
                }
            }
            String dataset = p.getOrDefault("dataset", "");
            if (!dataset.equals(ModelSource.BUILTIN) && seen.add(List.of(dataset))) {
                try (var now = ShareGptDataset.open(Path.of(dataset))) {
                    require("dataset " + dataset, r.info("dataset_sha256"), now.sha256());
                }
            }
        }
    }

    private static void require(String what, String then, String now) {
        if (then.equals(now)) return;
        throw Resumable.refused(
                "the %s has changed: its SHA-256 was %s and is %s"
                        .formatted(what, Texts.plain(then, 80), now));
    }
}
