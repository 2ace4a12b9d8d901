/** The JMH classes: what is measured, with which parameters. They hold no logic of their own. */
package org.tokenrate.bench;
