/**
 * The engine under test: the seam every engine implements ({@link
 * org.tokenrate.engine.InferenceEngine}), and our own engine's scheduler behind it. Knows nothing
 * of workloads, metrics or JMH.
 */
package org.tokenrate.engine;
