package org.tokenrate.checkpoint;

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
}
