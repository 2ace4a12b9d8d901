package org.tokenrate.engine.local;

import java.io.IOException;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.Shard;

/** Decoders of random models on the CPU, with two threads where there are no more ranks. */
final class CpuDecoder {
    private CpuDecoder() {}

    static RankedDecoder load(
            RandomModel model, DType dtype, int ranks, int maxTokens, int maxRunning)
            throws IOException {
        return new RankedDecoder(
                Shard.of(model.config(), ranks, inputs -> 1),
                model,
                CpuDevice.ranks(dtype, 2, ranks),
                maxTokens,
                maxRunning);
    }
}
