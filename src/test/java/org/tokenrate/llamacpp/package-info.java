/**
 * The engine against llama.cpp, which was written by others: the same weights, the same prompts,
 * the same tokens.
 */
package org.tokenrate.llamacpp;
