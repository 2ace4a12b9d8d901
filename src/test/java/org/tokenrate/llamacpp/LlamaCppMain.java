package org.tokenrate.llamacpp;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import de.kherud.llama.args.Sampler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * llama.cpp in a JVM of its own, so that its OpenMP threads and its way of ending the process when
 * something is wrong stay away from the tests. Answers greedily and in 32-bit floats.
 *
 * <p>Arguments: the model (GGUF), the context in tokens, the requests (a line each: tokens to
 * generate, a space, the prompt), the file for the answers (a line each).
 */
final class LlamaCppMain {
    private LlamaCppMain() {}

    public static void main(String[] args) {
        ModelParameters parameters =
                new ModelParameters()
                        .setModel(args[0])
                        .setCtxSize(Integer.parseInt(args[1]))
                        // A prompt at once: Chameleon fails where a part of it gives no logits.
                        .setBatchSize(Integer.parseInt(args[1]))
                        .setUbatchSize(Integer.parseInt(args[1]))
                        .setParallel(1)
                        .setThreads(1)
                        .setThreadsBatch(1)
                        .setGpuLayers(0)
                        .setCacheTypeK(CacheType.F32)
                        .setCacheTypeV(CacheType.F32)
                        .disableContextShift()
                        .skipWarmup();
        List<String> answers = new ArrayList<>();
        // Not closed: what follows ends the process, for the binding's own thread outlives a close.
        try {
            LlamaModel model = new LlamaModel(parameters);
            for (String request : Files.readAllLines(Path.of(args[2]))) {
                int space = request.indexOf(' ');
                answers.add(
                        answer(
                                model,
                                request.substring(space + 1),
                                Integer.parseInt(request.substring(0, space))));
            }
            Files.write(Path.of(args[3]), answers);
            Runtime.getRuntime().halt(0);
        } catch (IOException | RuntimeException | Error e) {
            System.err.println(e);
            Runtime.getRuntime().halt(1);
        }
    }

    /** Ids are hexadecimal digits, as many for each: nothing was merged, added or dropped. */
    private static void requireTokens(LlamaModel model, String prompt) {
        int[] tokens = model.encode(prompt);
        String format = "%0" + prompt.length() / tokens.length + "x";
        StringBuilder text = new StringBuilder();
        for (int token : tokens) text.append(format.formatted(token));
        if (!text.toString().equals(prompt) || !model.decode(tokens).equals(prompt)) {
            throw new IllegalStateException(prompt + " is encoded as " + Arrays.toString(tokens));
        }
    }

    private static String answer(LlamaModel model, String prompt, int count) {
        requireTokens(model, prompt);
        return model.complete(
                new InferenceParameters(prompt)
                        .setNPredict(count)
                        .setSamplers(Sampler.TOP_K)
                        .setTopK(1)
                        .setTemperature(0)
                        .setSeed(0)
                        .setCachePrompt(false));
    }
}
