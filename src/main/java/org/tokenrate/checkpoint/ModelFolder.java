package org.tokenrate.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Which models the files of a folder make, by their names and by {@code quantization_config}.
 *
 * @param config whether there is a {@code config.json}
 * @param hfWeights the files that say where Hugging Face's weights are
 * @param params whether there is a {@code params.json}
 * @param metaWeights shards of Meta's
 */
record ModelFolder(
        Path folder,
        boolean config,
        List<String> hfWeights,
        boolean params,
        List<String> metaWeights) {

    static final String CONFIG = "config.json";

    /** Single files, and the indexes of sharded ones. */
    private static final List<String> HF_WEIGHTS =
            List.of(
                    "model.safetensors",
                    "model.safetensors.index.json",
                    "pytorch_model.bin",
                    "pytorch_model.bin.index.json");

    /** Where Meta's repositories for Hugging Face keep the model in Meta's layout. */
    private static final String ORIGINAL = "original";

    private static final int LISTED = 12;

    /**
     * @throws CheckpointException if it is no folder
     */
    static ModelFolder look(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(folder, "is not a folder; give a model folder");
        }
        return new ModelFolder(
                folder,
                Files.exists(folder.resolve(CONFIG)),
                HF_WEIGHTS.stream().filter(name -> Files.exists(folder.resolve(name))).toList(),
                Files.exists(folder.resolve(MetaParams.FILE)),
                metaWeights(folder));
    }

    private static List<String> metaWeights(Path folder) throws IOException {
        try (var list = Files.list(folder)) {
            return list.filter(MetaCheckpoint::isShard)
                    .map(file -> file.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    private boolean holdsHf() {
        return config && !hfWeights.isEmpty();
    }

    private boolean holdsMeta() {
        return params && !metaWeights.isEmpty();
    }

    ModelFormat detect() throws IOException {
        if (holdsHf()) return hfFormat();
        if (holdsMeta()) return ModelFormat.LLAMA;
        throw none();
    }

    void require(ModelFormat format) throws IOException {
        if (!holdsHf() && !holdsMeta()) throw none();
        boolean holds =
                format == ModelFormat.LLAMA ? holdsMeta() : holdsHf() && hfFormat() == format;
        if (holds) return;
        throw new IllegalArgumentException(
                "modelFormat=%s, but %s holds %s; use modelFormat=%s or auto%s"
                        .formatted(
                                format.label(),
                                folder,
                                held(),
                                detect().label(),
                                format == ModelFormat.LLAMA ? original() : ""));
    }

    /** AWQ or HF. */
    private ModelFormat hfFormat() throws IOException {
        Path file = folder.resolve(CONFIG);
        JsonNode quantization = JsonFile.object(file).path("quantization_config");
        if (quantization.isMissingNode() || quantization.isNull()) return ModelFormat.HF;
        JsonNode method = quantization.path("quant_method");
        if (method.asText().equals("awq")) return ModelFormat.AWQ;
        throw new CheckpointException(
                file,
                "quantization_config.quant_method is %s, which is not supported; supported: awq"
                        .formatted(JsonFile.quote(method)));
    }

    private String held() throws IOException {
        List<String> held = new ArrayList<>();
        if (holdsHf()) {
            held.add(
                    "a Hugging Face model%s (config.json, %s)"
                            .formatted(
                                    hfFormat() == ModelFormat.AWQ ? " of 4-bit AWQ weights" : "",
                                    shortened(hfWeights)));
        }
        if (holdsMeta()) {
            held.add(
                    "a model in Meta's layout (params.json, %s)".formatted(shortened(metaWeights)));
        }
        return String.join(" and ", held);
    }

    private CheckpointException none() throws IOException {
        String lack;
        if (config) lack = "has a config.json, but no weights: " + anyOf(HF_WEIGHTS);
        else if (params) lack = "has a params.json, but no weights: consolidated.00.pth";
        else if (!hfWeights.isEmpty())
            lack = "has " + shortened(hfWeights) + ", but no config.json";
        else if (!metaWeights.isEmpty()) {
            lack = "has " + shortened(metaWeights) + ", but no params.json";
        } else {
            lack =
                    "holds no model: neither config.json and weights (Hugging Face) nor params.json"
                            + " and consolidated.00.pth (Meta); it "
                            + listing();
        }
        return new CheckpointException(folder, lack + original());
    }

    /** Points out the folder beside Hugging Face's files, if it is there. */
    private String original() throws IOException {
        Path original = folder.resolve(ORIGINAL);
        return Files.isDirectory(original) && look(original).holdsMeta()
                ? "; its folder original holds a model in Meta's layout: give that"
                : "";
    }

    private String listing() throws IOException {
        try (var list = Files.list(folder)) {
            List<String> names = list.map(p -> p.getFileName().toString()).sorted().toList();
            return names.isEmpty() ? "is empty" : "has " + shortened(names);
        }
    }

    private static String anyOf(List<String> names) {
        return String.join(", ", names.subList(0, names.size() - 1))
                + " or "
                + names.get(names.size() - 1);
    }

    /** The first of some names, and how many more there are. */
    static String shortened(List<String> names) {
        return names.stream().limit(LISTED).collect(Collectors.joining(", "))
                + (names.size() > LISTED ? " and " + (names.size() - LISTED) + " more" : "");
    }
}
