/**
 * Reading model weights from disk: file formats in, named tensors and a model's configuration out.
 * Files are untrusted: everything they claim is checked before it is believed.
 */
package org.tokenrate.checkpoint;
