/**
 * Model weights in files: reading the formats that checkpoints come in, and writing safetensors.
 * Knows nothing of devices or engines.
 */
package org.tokenrate.checkpoint;
