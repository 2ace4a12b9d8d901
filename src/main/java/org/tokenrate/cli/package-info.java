/**
 * The command line: JMH's own, with early checks, a readable console and result files around it,
 * and our own words such as {@code csv}.
 */
package org.tokenrate.cli;
