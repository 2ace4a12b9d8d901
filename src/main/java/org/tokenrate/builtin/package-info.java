/**
 * What the benchmark uses when it is given neither a model nor a dataset: a small Llama checkpoint
 * and a file of dialogues, both made here, from fixed seeds, into a cache folder.
 */
package org.tokenrate.builtin;
