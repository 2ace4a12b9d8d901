package org.tokenrate.checkpoint;

/**
 * Weights that are stored one by one.
 *
 * @param rows {@code [outputs, inputs]}
 */
public record DenseData(TensorData rows) implements LinearData {
    @Override
    public String name() {
        return rows.name();
    }

    @Override
    public long outputs() {
        return rows.rowCount();
    }

    @Override
    public long inputs() {
        return rows.rowLength();
    }

    @Override
    public LinearData slice(long from, long to) {
        return new DenseData(rows.slice(from, to));
    }

    @Override
    public LinearData sliceInputs(long from, long to) {
        return new DenseData(rows.columns(from, to));
    }
}
