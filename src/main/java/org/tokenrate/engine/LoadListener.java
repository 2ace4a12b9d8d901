package org.tokenrate.engine;

/**
 * Is told how far loading a model has come. Called by the threads that load, some thousand times a
 * second and several at a time: be quick.
 */
@FunctionalInterface
public interface LoadListener {
    /** Hears nothing. */
    LoadListener NONE = (loadedBytes, totalBytes) -> {};

    /**
     * @param loadedBytes bytes of weights read so far
     * @param totalBytes bytes that will have been read at the end; 0 if not known
     */
    void onLoaded(long loadedBytes, long totalBytes);
}
