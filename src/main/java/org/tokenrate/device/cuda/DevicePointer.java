package org.tokenrate.device.cuda;

import org.bytedeco.javacpp.Pointer;

/** An address on the device for calls that take pointers; the host cannot read it. */
final class DevicePointer extends Pointer {
    DevicePointer(long address) {
        this.address = address;
    }
}
