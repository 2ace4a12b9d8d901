/**
 * What LMDeploy's {@code benchmark/profile_throughput.py} says of a run, in its definitions, its
 * words and its CSV. Knows request records only.
 */
package org.tokenrate.lmdeploy;
