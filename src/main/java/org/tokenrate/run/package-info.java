/**
 * One run: its parameters, the trial that a fork drives, and the folder it leaves behind. Knows
 * everything that is measured, nothing of JMH.
 */
package org.tokenrate.run;
