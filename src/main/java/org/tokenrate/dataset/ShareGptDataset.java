package org.tokenrate.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Minimal local version until the dataset part lands. */
public final class ShareGptDataset implements AutoCloseable {
    private final List<Dialogue> dialogues = new ArrayList<>();

    public static ShareGptDataset open(Path file) throws IOException {
        var dataset = new ShareGptDataset();
        for (JsonNode node : new ObjectMapper().readTree(file.toFile())) {
            JsonNode turns = node.path("conversations");
            if (turns.size() < 2) continue;
            dataset.dialogues.add(
                    new Dialogue(
                            turns.get(0).path("value").asText(),
                            turns.get(1).path("value").asText()));
        }
        return dataset;
    }

    public int size() {
        return dialogues.size();
    }

    public Dialogue dialogue(int i) {
        return dialogues.get(i);
    }

    @Override
    public void close() {}
}
