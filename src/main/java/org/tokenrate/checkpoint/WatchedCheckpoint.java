package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * A checkpoint that tells of every read how many bytes it was.
 *
 * @param onRead called by the threads that read, many at a time: it must be quick
 */
public record WatchedCheckpoint(Checkpoint checkpoint, LongConsumer onRead) implements Checkpoint {
    @Override
    public Set<String> names() {
        return checkpoint.names();
    }

    @Override
    public TensorData tensor(String name, long... shape) throws IOException {
        return watch(checkpoint.tensor(name, shape));
    }

    @Override
    public LinearData linear(String name, long outputs, long inputs) throws IOException {
        LinearData linear = checkpoint.linear(name, outputs, inputs);
        if (linear instanceof DenseData dense) return new DenseData(watch(dense.rows()));
        AwqData awq = (AwqData) linear;
        return new AwqData(
                awq.name(),
                watch(awq.qweight()),
                watch(awq.qzeros()),
                watch(awq.scales()),
                awq.groupSize(),
                awq.firstOutput(),
                awq.outputs());
    }

    @Override
    public String place(String tensor) {
        return checkpoint.place(tensor);
    }

    private TensorData watch(TensorData tensor) {
        return new Watched(tensor, onRead);
    }

    @Override
    public long bytes() {
        return checkpoint.bytes();
    }

    @Override
    public String sha256() throws IOException {
        return checkpoint.sha256();
    }

    @Override
    public void close() throws IOException {
        checkpoint.close();
    }

    private record Watched(TensorData tensor, LongConsumer onRead) implements TensorData {
        @Override
        public String name() {
            return tensor.name();
        }

        @Override
        public DType type() {
            return tensor.type();
        }

        @Override
        public long[] shape() {
            return tensor.shape();
        }

        @Override
        public ByteBuffer rows(long from, long to) throws IOException {
            ByteBuffer rows = tensor.rows(from, to);
            onRead.accept(rows.remaining());
            return rows;
        }

        @Override
        public void read(long first, ByteBuffer into) throws IOException {
            int bytes = into.remaining();
            tensor.read(first, into);
            onRead.accept(bytes);
        }
    }
}
