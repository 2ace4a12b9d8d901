/**
 * What this machine has to run engines with and what may disturb a measurement on it, in words, for
 * a user who wonders why an engine does not run or a figure is not what it was.
 */
package org.tokenrate.doctor;
