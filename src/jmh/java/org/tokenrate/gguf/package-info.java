/**
 * Writes GGUF, llama.cpp's file format, and turns Hugging Face checkpoints into it, so that
 * llama.cpp can run the very weights that the engine runs.
 */
package org.tokenrate.gguf;
