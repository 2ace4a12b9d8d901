package org.tokenrate.checkpoint;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/** Makes a folder of 4-bit weights, in AutoAWQ's layout, of a dense Hugging Face folder. */
public final class AwqWriter {
    private static final String WEIGHT = ".weight";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private AwqWriter() {}

    /**
     * Writes config.json and model.safetensors. Every projection ({@code *_proj.weight}) is packed,
     * layer by layer; everything else stays as it is.
     *
     * @param from a folder with config.json and dense weights
     * @param to an existing folder
     * @param groupSize inputs that share a scale: 32, 64 or 128
     * @throws CheckpointException if the weights are damaged or a projection does not fill groups
     */
    public static void convert(Path from, Path to, int groupSize) throws IOException {
        try (HfCheckpoint dense = HfCheckpoint.open(from)) {
            List<Tensor> tensors = new ArrayList<>();
            for (String name : dense.names()) {
                TensorData tensor = dense.stored(name);
                if (packs(name)) {
                    if (!AwqLayer.fits(tensor.rowCount(), tensor.rowLength(), groupSize)) {
                        throw new CheckpointException(
                                dense.file(name),
                                "%s has %d inputs and %d outputs; groups of %d inputs and of 8 outputs do not fill them"
                                        .formatted(
                                                name,
                                                tensor.rowLength(),
                                                tensor.rowCount(),
                                                groupSize));
                    }
                    tensors.addAll(
                            AwqLayer.tensors(
                                    layer(name), tensor.rowCount(), tensor.rowLength(), groupSize));
                } else {
                    tensors.add(
                            new Tensor(name, Type.valueOf(tensor.type().name()), tensor.shape()));
                }
            }
            Path file = to.resolve("model.safetensors");
            try (var writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt"))) {
                for (String name : dense.names()) {
                    copy(dense.stored(name), packs(name), groupSize, writer);
                }
            }
        }
        Path config = from.resolve("config.json");
        Files.write(
                to.resolve("config.json"), config(config, Files.readAllBytes(config), groupSize));
    }

    private static boolean packs(String name) {
        return name.endsWith("_proj" + WEIGHT);
    }

    private static String layer(String name) {
        return name.substring(0, name.length() - WEIGHT.length());
    }

    private static void copy(
            TensorData tensor, boolean pack, int groupSize, SafetensorsWriter writer)
            throws IOException {
        if (pack) {
            int outputs = Math.toIntExact(tensor.rowCount());
            int inputs = Math.toIntExact(tensor.rowLength());
            AwqLayer.quantize(TensorFloats.rows(tensor, 0, outputs), outputs, inputs, groupSize)
                    .write(writer);
            return;
        }
        for (long row = 0; row < tensor.rowCount(); row++) {
            writer.write(TensorFloats.rows(tensor, row, row + 1));
        }
    }

    /**
     * A dense model's config.json with the {@code quantization_config} that {@link #convert} adds.
     *
     * @param source where it is from, for errors
     * @throws CheckpointException if it is not a JSON object
     */
    public static byte[] config(Path source, byte[] dense, int groupSize) throws IOException {
        if (!(JSON.readTree(dense) instanceof ObjectNode config)) {
            throw new CheckpointException(source, "is not a JSON object");
        }
        config.putObject("quantization_config")
                .put("quant_method", "awq")
                .put("bits", 4)
                .put("group_size", groupSize)
                .put("version", "gemm")
                .put("zero_point", true)
                .putNull("modules_to_not_convert");
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
    }
}
