package org.tokenrate.engine.llamacpp;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Where a request's events go; one of several that share a stream. Nothing follows its end. */
final class Answering {
    private final DataOutputStream out;
    private final int id;
    private boolean ended;

    /**
     * @param out the lock of all that write to it
     */
    Answering(DataOutputStream out, int id) {
        this.out = out;
        this.id = id;
    }

    private interface Rest {
        void write() throws IOException;
    }

    void tokens(int[] tokens) {
        send(Wire.TOKENS, false, () -> Wire.write(out, tokens, tokens.length));
    }

    void finished() {
        send(Wire.FINISHED, true, () -> {});
    }

    void cancelled() {
        send(Wire.CANCELLED, true, () -> {});
    }

    void failed(String why) {
        send(Wire.FAILED, true, () -> out.writeUTF(why));
    }

    boolean ended() {
        synchronized (out) {
            return ended;
        }
    }

    private void send(int what, boolean end, Rest rest) {
        synchronized (out) {
            if (ended) return;
            ended = end;
            try {
                out.writeByte(what);
                out.writeInt(id);
                rest.write();
                out.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e); // the other JVM is gone, and so are we soon
            }
        }
    }
}
