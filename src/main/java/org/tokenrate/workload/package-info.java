/**
 * The load: requests with their own lengths, kept in flight by a closed loop, and what was seen of
 * each. Knows the engine's seam, not how it is measured.
 */
package org.tokenrate.workload;
