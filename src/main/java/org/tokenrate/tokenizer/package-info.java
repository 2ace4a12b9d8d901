/**
 * Text to token ids and back, as the model's own tokenizer does it. Knows nothing of engines or
 * datasets.
 */
package org.tokenrate.tokenizer;
