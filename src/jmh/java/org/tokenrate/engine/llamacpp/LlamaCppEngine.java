package org.tokenrate.engine.llamacpp;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.Generation;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.TokenListener;

/** llama.cpp in a JVM of its own; one thread here hears of its tokens and tells the listeners. */
final class LlamaCppEngine implements InferenceEngine {
    private static final Logger LOG = LoggerFactory.getLogger(LlamaCppEngine.class);

    private final LlamaCppProcess process;
    private final EngineInfo info;
    private final int vocabulary;
    private final int context;
    private final Map<Integer, TokenListener> inFlight = new ConcurrentHashMap<>();
    private final AtomicInteger lastId = new AtomicInteger();
    private final Thread reader;
    private volatile boolean closed;
    private volatile String broken = "";

    /**
     * @param process ready to serve; closed with the engine
     * @param context most tokens of a request
     */
    LlamaCppEngine(LlamaCppProcess process, EngineInfo info, int vocabulary, int context) {
        this.process = process;
        this.info = info;
        this.vocabulary = vocabulary;
        this.context = context;
        reader = new Thread(this::listen, "llamacpp");
        reader.setDaemon(true);
        reader.start();
    }

    @Override
    public EngineInfo info() {
        return info;
    }

    @Override
    public EngineCounters counters() {
        return EngineCounters.NONE;
    }

    @Override
    public Generation submit(GenerationRequest request, TokenListener listener) {
        refuseUnlessItCanRun(request);
        refuseIfEnded();
        int id = lastId.incrementAndGet();
        inFlight.put(id, listener);
        try {
            synchronized (process.out) {
                process.out.writeByte(Wire.SUBMIT);
                process.out.writeInt(id);
                Wire.write(process.out, request);
                process.out.flush();
            }
        } catch (IOException e) {
            // Whoever takes it out of the map tells of its end.
            if (inFlight.remove(id) != null) throw gone(e);
        }
        // The reader may have failed all in flight before this one was there.
        if ((closed || !broken.isEmpty()) && inFlight.remove(id) != null) refuseIfEnded();
        return () -> cancel(id);
    }

    private void refuseUnlessItCanRun(GenerationRequest request) {
        int prompt = request.promptTokens().length;
        if ((long) prompt + request.maxNewTokens() > context) {
            throw new IllegalArgumentException(
                    "a prompt of %d and an answer of %d tokens exceed llama.cpp's context of %d a slot; give it more with -p engine=llamacpp:context=N, up to the model's"
                            .formatted(prompt, request.maxNewTokens(), context));
        }
        if (!request.ignoreEos()) {
            throw new IllegalArgumentException(
                    "engine=llamacpp generates as many tokens as it is asked for: its vocabulary has no end of sequence");
        }
        for (int token : request.promptTokens()) {
            if (token < 0 || token >= vocabulary) {
                throw new IllegalArgumentException(
                        "token %d is not in the vocabulary of %d".formatted(token, vocabulary));
            }
        }
    }

    private void refuseIfEnded() {
        if (closed) throw new IllegalStateException("the engine is closed");
        if (!broken.isEmpty()) throw new IllegalStateException(broken);
    }

    private IllegalStateException gone(IOException e) {
        return new IllegalStateException("llama.cpp is gone: " + e.getMessage(), e);
    }

    private void cancel(int id) {
        if (!inFlight.containsKey(id)) return;
        try {
            synchronized (process.out) {
                process.out.writeByte(Wire.CANCEL);
                process.out.writeInt(id);
                process.out.flush();
            }
        } catch (IOException e) {
            LOG.debug("Nothing is left to cancel", e);
        }
    }

    private void listen() {
        try {
            while (true) hear(process.in);
        } catch (IOException e) {
            if (closed) return;
            String how = "stopped";
            try {
                how = process.end();
            } catch (IOException unread) {
                LOG.debug("its log is not readable", unread);
            }
            broken = "llama.cpp " + how;
            failAll(broken);
        }
    }

    private void hear(DataInputStream in) throws IOException {
        int what = in.readByte();
        int id = in.readInt();
        switch (what) {
            case Wire.TOKENS -> {
                int[] tokens = Wire.readTokens(in);
                TokenListener listener = inFlight.get(id);
                if (listener != null) tell(() -> listener.onTokens(tokens, tokens.length));
            }
            case Wire.FINISHED -> end(id, listener -> listener.onFinished(FinishReason.LENGTH));
            case Wire.CANCELLED -> end(id, listener -> listener.onFinished(FinishReason.CANCELLED));
            case Wire.FAILED -> {
                String why = in.readUTF();
                end(id, listener -> listener.onFailed(new IllegalStateException(why)));
            }
            default -> throw new IOException("an unknown event, " + what);
        }
    }

    private interface End {
        void tell(TokenListener listener);
    }

    private void end(int id, End end) {
        TokenListener listener = inFlight.remove(id);
        if (listener != null) tell(() -> end.tell(listener));
    }

    private static void tell(Runnable event) {
        try {
            event.run();
        } catch (RuntimeException e) {
            LOG.error("A request's listener failed", e);
        }
    }

    private void failAll(String why) {
        for (Integer id : inFlight.keySet()) {
            end(id, listener -> listener.onFailed(new IllegalStateException(why)));
        }
    }

    @Override
    public void close() {
        if (Thread.currentThread() == reader) {
            throw new IllegalStateException("an engine cannot be closed from its own thread");
        }
        closed = true;
        process.close();
        boolean interrupted = false;
        while (reader.isAlive()) {
            try {
                reader.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        failAll("the engine was closed");
        if (interrupted) Thread.currentThread().interrupt();
    }
}
