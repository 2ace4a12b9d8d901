package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** How a model's weights lie on disk; the names are those of LMDeploy's {@code --model-format}. */
public enum ModelFormat {
    /** A Hugging Face folder: config.json, safetensors or torch archives, dense weights. */
    HF,
    /** Meta's layout: params.json, consolidated.NN.pth, rotary pairs interleaved. */
    LLAMA,
    /** A Hugging Face folder with 4-bit weights in AutoAWQ's gemm layout. */
    AWQ;

    /** The name in parameters and reports: hf, llama, awq. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The format of a model folder, from its files (LMDeploy's {@code None}): AWQ or HF where there
     * are a {@code config.json} and weights of Hugging Face's, LLAMA where there are a {@code
     * params.json} and shards of Meta's. A folder that holds both is taken as Hugging Face's, whose
     * configuration says more: Meta's leaves out the context's length and the tokens that end a
     * text.
     *
     * @throws CheckpointException if it holds neither, or weights quantised in another way
     */
    public static ModelFormat detect(Path folder) throws IOException {
        return ModelFolder.look(folder).detect();
    }

    /**
     * Checks that a folder holds a model of this format.
     *
     * @throws IllegalArgumentException if it holds one of another; says which
     * @throws CheckpointException if it holds none at all, or weights quantised in another way
     */
    public void requireIn(Path folder) throws IOException {
        ModelFolder.look(folder).require(this);
    }
}
