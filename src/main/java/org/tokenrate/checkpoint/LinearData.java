package org.tokenrate.checkpoint;

/** A linear layer's weights, y = x W^T, as a checkpoint holds them; nothing is read yet. */
public sealed interface LinearData permits DenseData, AwqData {
    /** The layer's name, for errors. */
    String name();

    /** Rows of W. */
    long outputs();

    /** Columns of W. */
    long inputs();

    /**
     * Outputs {@code from} to {@code to} (exclusive) as weights of their own.
     *
     * @throws IllegalArgumentException if the weights cannot be cut there
     */
    LinearData slice(long from, long to);

    /**
     * Inputs {@code from} to {@code to} (exclusive) as weights of their own; the products of such
     * parts with their parts of an input add up to that of the whole.
     *
     * @throws IllegalArgumentException if the weights cannot be cut there
     */
    LinearData sliceInputs(long from, long to);
}
