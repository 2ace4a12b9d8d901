/**
 * What is made of results after a run: JMH's json in, CSV out. Reads files only; knows nothing of
 * JMH's classes, engines or workloads.
 */
package org.tokenrate.report;
