package org.tokenrate.device.cuda;

import java.util.ArrayDeque;
import java.util.Deque;

/** What is to be closed, the newest first; none of it fails. */
final class Closing implements AutoCloseable {
    private final Deque<AutoCloseable> all = new ArrayDeque<>();

    <T extends AutoCloseable> T add(T resource) {
        all.push(resource);
        return resource;
    }

    @Override
    public void close() {
        while (!all.isEmpty()) {
            try {
                all.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException(e); // none declares one
            }
        }
    }
}
