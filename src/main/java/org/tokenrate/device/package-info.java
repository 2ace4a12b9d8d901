/**
 * What a decoder needs of a device: {@link org.tokenrate.device.Device}, about a dozen operations
 * on opaque tensors. A new device is one package below this one.
 */
package org.tokenrate.device;
