/**
 * An engine without a model that sends tokens on a set schedule: the ground truth for the metrics
 * and the yardstick for what the harness itself costs.
 */
package org.tokenrate.engine.simulated;
