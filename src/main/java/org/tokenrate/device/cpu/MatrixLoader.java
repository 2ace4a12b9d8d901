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
    private final Team team;
    private final WeightMemory memory;

    // Kept from matrix to matrix: memory that is given back is cleared anew when it is taken again.
    private final List<Stage> stages = new ArrayList<>();
    private final Map<Kind, Reorder> reorders = new ConcurrentHashMap<>();

    /**
     * @param memory where weights are to lie
     */
    MatrixLoader(MatrixProducts products, Team team, WeightMemory memory) {
        this.products = products;
        this.team = team;
        this.memory = memory;
    }

    /** A matrix whose rows are those of the parts, one below the other; a slice a thread. */
    CpuMatrix load(List<TensorData> parts) throws IOException {
        StoredRows rows = new StoredRows(parts);
        CpuMatrix matrix = new CpuMatrix(rows.inputs(), products);
        List<Slice> slices = new ArrayList<>();
        try {
            int first = 0;
            for (int outputs : products.slices(rows.outputs(), team.threads())) {
                slices.add(addSlice(matrix, first, outputs));
                first += outputs;
            }
            fill(slices, rows);
        } catch (IOException | RuntimeException e) {
            matrix.free();
            throw e;
        } finally {
            for (Slice s : slices) for (Place p : s.places) p.pairs.ifPresent(WeightsLayout::close);
        }
        return matrix;
    }

    /**
     * A thread's part of the matrix.
     *
     * @param first of its outputs
     * @param type of the weights
     */
    private record Slice(int first, int outputs, DType type, List<Place> places) {
        /** Outputs that a run of them begins at a multiple of. */
        int block() {
            return places.stream().mapToInt(p -> p.layout.block()).max().orElseThrow();
        }

        boolean canPair() {
            return places.stream().allMatch(p -> p.pairs.isPresent());
        }
    }

    /**
     * Where the weights of some of a slice's inputs go.
     *
     * @param layout belongs to the matrix
     * @param pairs the same place for weights that are stored as bf16 already: they move two at a
     *     time, for which oneDNN has a faster way
     */
    private record Place(
            int firstInput,
            WeightsLayout layout,
            Optional<WeightsLayout> pairs,
            BytePointer weights) {}

    /**
     * Outputs of a slice that are loaded at once.
     *
     * @param first counts from the slice's first
     */
    private record Chunk(Slice slice, int first, int count) {}

    /** What tells one reorder from another. */
    private record Kind(
            DType type,
            DType placedType,
            int inputs,
            int stride,
            int sliceOutputs,
            int count,
            boolean last) {}

    private Slice addSlice(CpuMatrix matrix, int first, int outputs) {
        DType type = products.weightsType(outputs);
        List<Place> places = new ArrayList<>();
        List<CpuMatrix.Span> spans = new ArrayList<>();
        int firstInput = 0;
        for (int inputs : products.spans(matrix.inputs(), outputs)) {
            dnnl_memory_desc description = products.weightsLayout(inputs, outputs);
            var layout = new WeightsLayout(description, inputs, outputs, type.bytes());
            BytePointer weights = memory.allocate(layout.bytes());
            spans.add(new CpuMatrix.Span(firstInput, inputs, weights, description));
            places.add(
                    new Place(
                            firstInput,
                            layout,
                            layout.asPairs(MatrixProducts.dnnlType(type)),
                            weights));
            firstInput += inputs;
        }
        boolean pairPanels = places.stream().allMatch(p -> OneRowBf16.takes(p.layout));
        matrix.add(outputs, spans, pairPanels);
        return new Slice(first, outputs, type, places);
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
        int block = slice.block();
        int unit = block * Math.max(1, MIN_OUTPUTS / block);
        int rowBytes = rows.inputs() * rows.parts().get(0).type().bytes();
        int most = Math.max(unit, CHUNK_BYTES / rowBytes / unit * unit);
        List<Chunk> chunks = new ArrayList<>();
        int outputs = slice.outputs;
        for (int first = 0; first < outputs; first += most) {
            chunks.add(new Chunk(slice, first, Math.min(most, outputs - first)));
        }
        return chunks;
    }

    private void load(Chunk chunk, StoredRows rows, Stage stage) throws IOException {
        Slice slice = chunk.slice;
        boolean canPair = slice.canPair();
        var staged = stage.read(rows.pieces(slice.first + chunk.first, chunk.count), canPair);
        if (products.rounds(slice.type)) staged.roundToBf16(chunk.count, rows.inputs());
        boolean pairs = canPair && staged.type() == DType.BF16;
        for (Place place : slice.places) reorder(chunk, place, staged, pairs);
    }

    private void reorder(Chunk chunk, Place place, Stage.Staged staged, boolean pairs) {
        WeightsLayout layout = pairs ? place.pairs.get() : place.layout;
        var kind =
                new Kind(
                        staged.type(),
                        chunk.slice.type,
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
                staged.memory().getPointer((long) place.firstInput * staged.type().bytes()),
                place.weights.getPointer(layout.start(chunk.first, chunk.count)));
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
