/**
 * Runs two commits in turn, fork by fork, so that a machine that drifts meets both of them alike.
 */
package org.tokenrate.interleave;
