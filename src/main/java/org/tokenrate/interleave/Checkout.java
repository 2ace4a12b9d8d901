package org.tokenrate.interleave;

import java.nio.file.Path;

/**
 * A side, ready to run.
 *
 * @param name as results are filed under: a short hash, {@code -dirty} if it is not just that
 * @param tree a work tree of it, in which its forks run, and from which they learn their commit
 * @param jar its benchmarks.jar
 */
record Checkout(String name, Path tree, Path jar) {}
