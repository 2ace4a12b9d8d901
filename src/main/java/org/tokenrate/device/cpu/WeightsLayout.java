package org.tokenrate.device.cpu;

import java.util.Optional;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * How oneDNN wants weights of {@code [inputs, outputs]} to lie: in blocks, so that a run of outputs
 * that begins at a block's start has a place of its own. Belongs to whoever made it.
 */
final class WeightsLayout implements AutoCloseable {
    /** The dimension of the outputs. */
    private static final int OUTPUTS = 1;

    private static final int MAX_BLOCKS = 12;

    /**
     * Layouts of 16-bit weights that keep two neighbouring inputs of an output side by side, and
     * the layouts of 32-bit weights that have the same form.
     */
    private static final int[][] PAIRS = {
        {dnnl.dnnl_BA16a16b2a, dnnl.dnnl_BA16a16b},
        {dnnl.dnnl_BA16a32b2a, dnnl.dnnl_BA16a32b},
        {dnnl.dnnl_BA16a48b2a, dnnl.dnnl_BA16a48b},
        {dnnl.dnnl_BA16a64b2a, dnnl.dnnl_BA16a64b},
    };

    private final dnnl_memory_desc description;
    private final int inputs;
    private final int outputs;
    private final int elementBytes;
    private final int block;
    private final long blockStride;

    /**
     * @param description is taken over
     * @param elementBytes what an element takes
     */
    WeightsLayout(dnnl_memory_desc description, int inputs, int outputs, int elementBytes) {
        this.description = description;
        this.inputs = inputs;
        this.outputs = outputs;
        this.elementBytes = elementBytes;
        block = block(description);
        blockStride = values(description, dnnl.dnnl_query_strides, 2)[OUTPUTS];
    }

    private static int block(dnnl_memory_desc description) {
        try (IntPointer count = new IntPointer(1)) {
            OneDnn.check(
                    dnnl.dnnl_memory_desc_query(
                            description, dnnl.dnnl_query_inner_nblks_s32, count),
                    "dnnl_memory_desc_query of inner blocks");
            int blocks = count.get();
            if (blocks > MAX_BLOCKS) throw new IllegalStateException(blocks + " inner blocks");
            if (blocks == 0) return 1;
            long[] sizes = values(description, dnnl.dnnl_query_inner_blks, blocks);
            long[] dimensions = values(description, dnnl.dnnl_query_inner_idxs, blocks);
            long block = 1;
            for (int i = 0; i < blocks; i++) {
                if (dimensions[i] == OUTPUTS) block *= sizes[i];
            }
            return (int) block;
        }
    }

    private static long[] values(dnnl_memory_desc description, int what, int count) {
        try (PointerPointer<LongPointer> pointer = new PointerPointer<>(1)) {
            OneDnn.check(
                    dnnl.dnnl_memory_desc_query(description, what, pointer),
                    "dnnl_memory_desc_query of the weights' layout");
            long[] values = new long[count];
            pointer.get(LongPointer.class, 0).get(values);
            return values;
        }
    }

    dnnl_memory_desc description() {
        return description;
    }

    int inputs() {
        return inputs;
    }

    int outputs() {
        return outputs;
    }

    long bytes() {
        return dnnl.dnnl_memory_desc_get_size(description);
    }

    /** Outputs in a block: a run of them begins at a multiple of it. */
    int block() {
        return block;
    }

    /**
     * The place of a run of outputs that begins at a block's start, seen from {@link #start}. Only
     * the last run of a layout includes the padding behind the last output.
     */
    dnnl_memory_desc run(int firstOutput, int count) {
        dnnl_memory_desc run = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_create_submemory(
                        run,
                        description,
                        new long[] {inputs, count},
                        new long[] {0, isLast(firstOutput, count) ? firstOutput : 0}),
                "dnnl_memory_desc_create_submemory");
        return run;
    }

    /** Where in the weights {@link #run} counts from, in bytes: all runs but the last are alike. */
    long start(int firstOutput, int count) {
        return isLast(firstOutput, count) ? 0 : firstOutput / block * blockStride * elementBytes;
    }

    boolean isLast(int firstOutput, int count) {
        return firstOutput + count == outputs;
    }

    /**
     * The same bytes as 32-bit weights, each a pair of neighbouring inputs of an output; empty if
     * they do not lie so. An odd input at the end has a zero beside it.
     */
    Optional<WeightsLayout> asPairs(int dnnlType) {
        if (elementBytes != Short.BYTES) return Optional.empty();
        for (int[] pair : PAIRS) {
            dnnl_memory_desc same = tagged(inputs, outputs, dnnlType, pair[0]);
            boolean equal = dnnl.dnnl_memory_desc_equal(same, description) != 0;
            dnnl.dnnl_memory_desc_destroy(same);
            if (equal) {
                int half = (inputs + 1) / 2;
                return Optional.of(
                        new WeightsLayout(
                                tagged(half, outputs, dnnl.dnnl_f32, pair[1]),
                                half,
                                outputs,
                                Float.BYTES));
            }
        }
        return Optional.empty();
    }

    /** Whether these are panels of 64 outputs, pairs of neighbouring inputs of bf16 in each. */
    boolean isOfPairPanels() {
        dnnl_memory_desc panels = OneDnn.pairPanels(inputs, outputs);
        boolean equal = dnnl.dnnl_memory_desc_equal(panels, description) != 0;
        dnnl.dnnl_memory_desc_destroy(panels);
        return equal;
    }

    private static dnnl_memory_desc tagged(int inputs, int outputs, int type, int tag) {
        dnnl_memory_desc description = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_create_with_tag(
                        description, 2, new long[] {inputs, outputs}, type, tag),
                "dnnl_memory_desc_create_with_tag");
        return description;
    }

    @Override
    public void close() {
        dnnl.dnnl_memory_desc_destroy(description);
    }
}
