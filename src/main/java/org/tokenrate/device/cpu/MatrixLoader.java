package org.tokenrate.device.cpu;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.TensorData;

/**
 * Brings weights from a checkpoint's rows into the layout of oneDNN's products: every thread reads
 * a few rows, as many as its cache holds, and reorders them into their place.
 */
final class MatrixLoader implements AutoCloseable {
    /** Bytes that a thread reads at a time, if a block of outputs is not larger. */
    private static final int CHUNK_BYTES = 512 << 10;

    /** A block narrower than this is loaded with its neighbours. */
    private static final int MIN_OUTPUTS = 64;

    private final MatrixProducts products;
    private final DType dtype;
    private final Team team;
    private final WeightMemory memory;

    // Kept from matrix to matrix: memory that is given back is cleared anew when it is taken again.
    private final List<Stage> stages = new ArrayList<>();
    private final Map<Kind, Reorder> reorders = new ConcurrentHashMap<>();

    /**
     * @param dtype of the weights on the device
     * @param memory where they are to lie
     */
    MatrixLoader(MatrixProducts products, DType dtype, Team team, WeightMemory memory) {
        this.products = products;
        this.dtype = dtype;
        this.team = team;
        this.memory = memory;
    }

    /** A matrix whose rows are those of the parts, one below the other; a slice a thread. */
    CpuMatrix load(List<TensorData> parts) throws IOException {
        StoredRows rows = new StoredRows(parts);
        CpuMatrix matrix = new CpuMatrix(rows.inputs(), products);
        List<Slice> slices = new ArrayList<>();
        try {
            int step = CpuMatrix.sliceOutputs(rows.outputs(), team.threads());
            for (int first = 0; first < rows.outputs(); first += step) {
                slices.add(addSlice(matrix, first, Math.min(step, rows.outputs() - first)));
            }
            fill(slices, rows);
        } catch (IOException | RuntimeException e) {
            matrix.free();
            throw e;
        } finally {
            slices.forEach(s -> s.pairs.ifPresent(WeightsLayout::close));
        }
        return matrix;
    }

    /**
     * A thread's part of the matrix.
     *
     * @param first of its outputs
     * @param layout belongs to the matrix
     * @param pairs the same place for weights that are stored as bf16 already: they move two at a
     *     time, for which oneDNN has a faster way
     */
    private record Slice(
            int first, WeightsLayout layout, Optional<WeightsLayout> pairs, BytePointer weights) {}

    /**
     * Outputs of a slice that are loaded at once.
     *
     * @param first counts from the slice's first
     */
    private record Chunk(Slice slice, int first, int count) {}

    /** What tells one reorder from another. */
    private record Kind(
            DType type, int inputs, int stride, int sliceOutputs, int count, boolean last) {}

    private Slice addSlice(CpuMatrix matrix, int first, int outputs) {
        dnnl_memory_desc description = products.weightsLayout(matrix.inputs(), outputs);
        var layout = new WeightsLayout(description, matrix.inputs(), outputs, dtype.bytes());
        BytePointer weights = memory.allocate(layout.bytes());
        matrix.add(outputs, weights, description);
        return new Slice(first, layout, layout.asPairs(MatrixProducts.dnnlType(dtype)), weights);
    }

    private void fill(List<Slice> slices, StoredRows rows) throws IOException {
        List<List<Chunk>> chunks = slices.stream().map(s -> chunks(s, rows)).toList();
        int longest = chunks.stream().mapToInt(List::size).max().orElseThrow();
        int most = chunks.stream().mapToInt(c -> c.get(0).count).max().orElseThrow();
        for (int i = 0; i < team.threads(); i++) stage(i, most, rows.inputs());
        // Item i goes to thread i % slices: the one that will multiply with what it loads.
        ParallelReads.run(
                team,
                longest * slices.size(),
                (item, thread) -> {
                    List<Chunk> ofSlice = chunks.get(item % slices.size());
                    int index = item / slices.size();
                    if (index < ofSlice.size()) {
                        load(ofSlice.get(index), rows, stages.get(thread));
                    }
                });
    }

    /** Readies a thread's stage for so many rows. */
    private void stage(int thread, int rows, int inputs) {
        if (thread == stages.size()) {
            stages.add(new Stage(rows, inputs));
        } else if (!stages.get(thread).fits(rows, inputs)) {
            stages.get(thread).close();
            stages.set(thread, new Stage(rows, inputs));
        } else {
            stages.get(thread).reuse(inputs);
        }
    }

    private static List<Chunk> chunks(Slice slice, StoredRows rows) {
        int block = slice.layout.block();
        int unit = block * Math.max(1, MIN_OUTPUTS / block);
        int rowBytes = rows.inputs() * rows.parts().get(0).type().bytes();
        int most = Math.max(unit, CHUNK_BYTES / rowBytes / unit * unit);
        List<Chunk> chunks = new ArrayList<>();
        int outputs = slice.layout.outputs();
        for (int first = 0; first < outputs; first += most) {
            chunks.add(new Chunk(slice, first, Math.min(most, outputs - first)));
        }
        return chunks;
    }

    private void load(Chunk chunk, StoredRows rows, Stage stage) throws IOException {
        Slice slice = chunk.slice;
        boolean canPair = slice.pairs.isPresent();
        var staged = stage.read(rows.pieces(slice.first + chunk.first, chunk.count), canPair);
        boolean pairs = canPair && staged.type() == DType.BF16;
        WeightsLayout layout = pairs ? slice.pairs.get() : slice.layout;
        var kind =
                new Kind(
                        staged.type(),
                        layout.inputs(),
                        staged.stride(),
                        layout.outputs(),
                        chunk.count,
                        layout.isLast(chunk.first, chunk.count));
        Reorder reorder =
                reorders.computeIfAbsent(
                        kind,
                        k ->
                                new Reorder(
                                        pairs
                                                ? pairs(layout, k)
                                                : Reorder.rows(
                                                        MatrixProducts.dnnlType(k.type),
                                                        layout.inputs(),
                                                        k.count,
                                                        k.stride),
                                        layout.run(chunk.first, k.count)));
        reorder.run(
                staged.memory(), slice.weights.getPointer(layout.start(chunk.first, chunk.count)));
    }

    private static dnnl_memory_desc pairs(WeightsLayout layout, Kind kind) {
        return Reorder.rows(dnnl.dnnl_f32, layout.inputs(), kind.count, kind.stride / 2);
    }

    /** Frees what is kept from matrix to matrix. */
    @Override
    public void close() {
        stages.forEach(Stage::close);
        stages.clear();
        reorders.values().forEach(Reorder::close);
        reorders.clear();
    }
}
