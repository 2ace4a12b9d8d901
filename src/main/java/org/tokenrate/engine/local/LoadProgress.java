package org.tokenrate.engine.local;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.WatchedCheckpoint;
import org.tokenrate.engine.LoadListener;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.Shard;

/** Adds up what is read of a checkpoint, and tells. */
final class LoadProgress {
    private LoadProgress() {}

    /** The checkpoint, watched by the listener. */
    static Checkpoint watch(Checkpoint checkpoint, List<Shard> shards, LoadListener progress)
            throws IOException {
        ModelConfig config = shards.get(0).config();
        long total = checkpoint.bytes();
        if (total > 0) {
            // Every rank reads the whole embedding; as the head it is read once more. What else is
            // read more than once, norms and KV heads that several ranks hold, is little.
            int more = shards.size() - 1 + (config.tiedEmbeddings() ? 1 : 0);
            total += more * embeddingBytes(checkpoint, config);
        }
        long all = total;
        AtomicLong loaded = new AtomicLong();
        return new WatchedCheckpoint(
                checkpoint, bytes -> progress.onLoaded(loaded.addAndGet(bytes), all));
    }

    private static long embeddingBytes(Checkpoint checkpoint, ModelConfig config)
            throws IOException {
        String name = config.architecture().embedding();
        return checkpoint.tensor(name, config.vocabularySize(), config.hiddenSize()).byteSize();
    }
}
