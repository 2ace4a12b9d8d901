package org.tokenrate.engine.local;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.WatchedCheckpoint;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.model.ModelConfig;

/** Adds up what is read of a checkpoint, and tells. */
final class LoadProgress {
    private LoadProgress() {}

    /** The checkpoint, watched by the listener. */
    static Checkpoint watch(Checkpoint checkpoint, ModelConfig config, LoadListener progress)
            throws IOException {
        long total = checkpoint.bytes();
        if (config.tiedEmbeddings() && total > 0) { // read twice: as the embedding, as the head
            total +=
                    checkpoint
                            .tensor(
                                    config.architecture().embedding(),
                                    config.vocabularySize(),
                                    config.hiddenSize())
                            .byteSize();
        }
        long all = total;
        AtomicLong loaded = new AtomicLong();
        return new WatchedCheckpoint(
                checkpoint, bytes -> progress.onLoaded(loaded.addAndGet(bytes), all));
    }
}
