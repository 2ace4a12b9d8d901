package org.tokenrate.engine.llamacpp;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.SamplingParams;

/**
 * What the two JVMs say to each other, in {@link java.io.DataOutputStream}'s numbers: a byte for
 * what it is, then its values.
 */
final class Wire {
    /** To llama.cpp: id, then the request. */
    static final int SUBMIT = 1;

    /** To llama.cpp: id. */
    static final int CANCEL = 2;

    /** From llama.cpp: the model is loaded. */
    static final int READY = 3;

    /** From llama.cpp: id, tokens. */
    static final int TOKENS = 4;

    /** From llama.cpp: id. */
    static final int FINISHED = 5;

    /** From llama.cpp: id. */
    static final int CANCELLED = 6;

    /** From llama.cpp: id, a sentence. */
    static final int FAILED = 7;

    /** From llama.cpp: the model could not be loaded; a sentence. */
    static final int REFUSED = 8;

    private Wire() {}

    static void write(DataOutputStream out, GenerationRequest request) throws IOException {
        SamplingParams sampling = request.sampling();
        out.writeInt(request.maxNewTokens());
        out.writeBoolean(request.stream());
        out.writeInt(sampling.topK());
        out.writeFloat(sampling.topP());
        out.writeFloat(sampling.temperature());
        out.writeLong(sampling.seed());
        write(out, request.promptTokens(), request.promptTokens().length);
    }

    static GenerationRequest readRequest(DataInputStream in) throws IOException {
        int maxNewTokens = in.readInt();
        boolean stream = in.readBoolean();
        SamplingParams sampling =
                new SamplingParams(in.readInt(), in.readFloat(), in.readFloat(), in.readLong());
        return new GenerationRequest(readTokens(in), maxNewTokens, sampling, true, stream);
    }

    static void write(DataOutputStream out, int[] tokens, int count) throws IOException {
        out.writeInt(count);
        for (int i = 0; i < count; i++) out.writeInt(tokens[i]);
    }

    static int[] readTokens(DataInputStream in) throws IOException {
        int[] tokens = new int[in.readInt()];
        for (int i = 0; i < tokens.length; i++) tokens[i] = in.readInt();
        return tokens;
    }
}
