/**
 * Real dialogues and the choice of prompts among them: ShareGPT files, and LMDeploy's sampling with
 * CPython's random numbers. Knows the tokenizer, not the load or the engine.
 */
package org.tokenrate.dataset;
