/**
 * What a run's records come to: throughput and latency figures, each with its definition. Computed
 * after the run; knows nothing of JMH or of files.
 */
package org.tokenrate.metrics;
