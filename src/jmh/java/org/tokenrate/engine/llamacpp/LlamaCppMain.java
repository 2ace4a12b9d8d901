package org.tokenrate.engine.llamacpp;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaIterator;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import de.kherud.llama.args.Sampler;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.gguf.TokenText;

/**
 * llama.cpp in a JVM of its own: the binding's loop thread outlives a close of the model and keeps
 * a JVM from ending, and llama.cpp ends the process where something is wrong. Here both end with
 * the input.
 *
 * <p>A thread a slot, since the binding's calls block. Requests beyond the slots wait here, so that
 * llama.cpp hears of as many as it runs.
 *
 * <p>Arguments: the model (GGUF), tokens of its vocabulary, threads, slots, context of all slots,
 * batch, tokens of a pass, whether flash attention is on, whether keys and values have 32 bits, the
 * process that it works for.
 */
final class LlamaCppMain {
    private final LlamaModel model;
    private final TokenText text;
    private final DataOutputStream out;
    private final Map<Integer, Answering> inFlight = new ConcurrentHashMap<>();
    private final ExecutorService slots;

    /** Cancelling writes, and the reader must not wait for who reads what it writes. */
    private final ExecutorService canceller = Executors.newSingleThreadExecutor();

    private LlamaCppMain(LlamaModel model, TokenText text, int slots, DataOutputStream out) {
        this.model = model;
        this.text = text;
        this.out = out;
        this.slots = Executors.newFixedThreadPool(slots);
    }

    public static void main(String[] args) {
        // Its input tells of that too, but is not read while a model is loaded.
        ProcessHandle.of(Long.parseLong(args[9]))
                .ifPresentOrElse(
                        master -> master.onExit().thenRun(() -> Runtime.getRuntime().halt(0)),
                        () -> Runtime.getRuntime().halt(0));
        int status = 1;
        try {
            status = run(args);
        } catch (IOException e) {
            System.err.println("Nobody listens: " + e.getMessage());
        } finally {
            Runtime.getRuntime().halt(status);
        }
    }

    private static int run(String[] args) throws IOException {
        DataOutputStream out =
                new DataOutputStream(
                        new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)));
        System.setOut(System.err); // the binding talks
        try {
            LlamaModel model = new LlamaModel(parameters(args));
            TokenText text = new TokenText(0, Integer.parseInt(args[1]));
            synchronized (out) {
                out.writeByte(Wire.READY);
                out.flush();
            }
            new LlamaCppMain(model, text, Integer.parseInt(args[3]), out)
                    .serve(new DataInputStream(new BufferedInputStream(System.in)));
            return 0;
        } catch (EOFException e) {
            return 0; // the engine was closed, or its JVM is gone
        } catch (IOException | RuntimeException | Error e) {
            synchronized (out) {
                out.writeByte(Wire.REFUSED);
                out.writeUTF(String.valueOf(e.getMessage()));
                out.flush();
            }
            return 1;
        }
    }

    private static ModelParameters parameters(String[] args) {
        ModelParameters parameters =
                new ModelParameters()
                        .setModel(args[0])
                        .setThreads(Integer.parseInt(args[2]))
                        .setThreadsBatch(Integer.parseInt(args[2]))
                        .setParallel(Integer.parseInt(args[3]))
                        .setCtxSize(Integer.parseInt(args[4]))
                        .setBatchSize(Integer.parseInt(args[5]))
                        .setUbatchSize(Integer.parseInt(args[6]))
                        .setGpuLayers(0)
                        .enableContBatching()
                        .disableContextShift()
                        .setSlotPromptSimilarity(0);
        if (Boolean.parseBoolean(args[7])) parameters.enableFlashAttn();
        if (Boolean.parseBoolean(args[8])) {
            parameters.setCacheTypeK(CacheType.F32).setCacheTypeV(CacheType.F32);
        }
        return parameters.disableLog();
    }

    private void serve(DataInputStream in) throws IOException {
        while (true) {
            int what = in.readByte();
            int id = in.readInt();
            if (what == Wire.SUBMIT) {
                GenerationRequest request = Wire.readRequest(in);
                Answering answering = new Answering(out, id);
                inFlight.put(id, answering);
                slots.execute(() -> answer(id, request, answering));
            } else {
                Answering answering = inFlight.get(id);
                if (answering != null) canceller.execute(answering::cancelled);
            }
        }
    }

    private void answer(int id, GenerationRequest request, Answering answering) {
        if (answering.ended()) {
            inFlight.remove(id);
            return;
        }
        try {
            InferenceParameters parameters = parameters(request);
            int tokens =
                    request.stream() ? stream(parameters, answering) : whole(parameters, answering);
            if (answering.ended()) return;
            if (tokens != request.maxNewTokens()) {
                throw new IllegalStateException(
                        "llama.cpp gave %d of %d tokens".formatted(tokens, request.maxNewTokens()));
            }
            answering.finished();
        } catch (RuntimeException e) {
            answering.failed(String.valueOf(e.getMessage()));
        } finally {
            inFlight.remove(id);
        }
    }

    private int whole(InferenceParameters parameters, Answering answering) {
        int[] tokens = text.tokens(model.complete(parameters));
        answering.tokens(tokens);
        return tokens.length;
    }

    /** A token is heard of as its text comes; its length says how many tokens that is. */
    private int stream(InferenceParameters parameters, Answering answering) {
        int count = 0;
        LlamaIterator outputs = model.generate(parameters).iterator();
        while (outputs.hasNext()) {
            int[] tokens = text.tokens(outputs.next().text);
            if (answering.ended()) {
                if (outputs.hasNext()) outputs.cancel();
                return count;
            }
            if (tokens.length > 0) answering.tokens(tokens);
            count += tokens.length;
        }
        return count;
    }

    private InferenceParameters parameters(GenerationRequest request) {
        SamplingParams sampling = request.sampling();
        InferenceParameters parameters =
                new InferenceParameters(prompt(request.promptTokens()))
                        .setNPredict(request.maxNewTokens())
                        .setIgnoreEos(true)
                        .setCachePrompt(false)
                        .setTopK(sampling.topK())
                        .setSeed((int) (sampling.seed() & Integer.MAX_VALUE));
        return sampling.greedy()
                ? parameters.setSamplers(Sampler.TOP_K).setTopK(1).setTemperature(0)
                : parameters
                        .setSamplers(Sampler.TEMPERATURE, Sampler.TOP_K, Sampler.TOP_P)
                        .setTemperature(sampling.temperature())
                        .setTopP(sampling.topP());
    }

    /** The binding takes text; what llama.cpp makes of it must be the very tokens. */
    private String prompt(int[] tokens) {
        String prompt = text.text(tokens);
        int[] encoded = model.encode(prompt);
        if (!Arrays.equals(encoded, tokens)) {
            throw new IllegalStateException(
                    "llama.cpp reads a prompt of %d tokens as %d others"
                            .formatted(tokens.length, encoded.length));
        }
        return prompt;
    }
}
