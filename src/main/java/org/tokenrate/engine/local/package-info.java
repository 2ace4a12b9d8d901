/**
 * Our own engine: a scheduler for continuous batching over one decoder, and the paged KV memory
 * that it shares out. One thread runs it all.
 */
package org.tokenrate.engine.local;
