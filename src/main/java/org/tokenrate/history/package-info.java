/**
 * All results in the order of their commits, with the points where a figure changed for good. Reads
 * result files and asks git for the order; docs/trust.md has the method and its proof.
 */
package org.tokenrate.history;
