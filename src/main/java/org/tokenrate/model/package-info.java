/**
 * The decoder: its configuration, its weights, and one forward pass over a {@link
 * org.tokenrate.device.Device} for a ragged batch of sequences.
 */
package org.tokenrate.model;
