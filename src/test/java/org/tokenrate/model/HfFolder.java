package org.tokenrate.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;
import org.tokenrate.gguf.ConfigJson;

/** Writes models as Hugging Face has them on disk. */
public final class HfFolder {
    private HfFolder() {}

    /** Writes config.json and model.safetensors. */
    public static void write(Path folder, RandomModel model) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), config(model.config()).toPrettyString());
        Type type = model.stored() == DType.BF16 ? Type.BF16 : Type.F32;
        List<Tensor> tensors = new ArrayList<>();
        for (String name : model.names()) tensors.add(new Tensor(name, type, model.shape(name)));
        Path file = folder.resolve("model.safetensors");
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt"))) {
            for (String name : model.names()) writer.write(model.weight(name));
        }
    }

    /** The config.json of a configuration, with every field of its family. */
    public static ObjectNode config(ModelConfig config) {
        return ConfigJson.of(config);
    }
}
