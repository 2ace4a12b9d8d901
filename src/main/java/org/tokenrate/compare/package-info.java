/**
 * Two results in, a decision out: faster, slower, no difference seen, or too few measurements to
 * say. Reads result files only; docs/trust.md has the method and its proof.
 */
package org.tokenrate.compare;
