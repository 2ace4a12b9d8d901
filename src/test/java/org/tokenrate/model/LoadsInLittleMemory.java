package org.tokenrate.model;

import java.nio.file.Files;
import java.nio.file.Path;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.device.cpu.CpuDevice;

/** A JVM's main class: loads the model it is given; prints its size on the device and the peak. */
final class LoadsInLittleMemory {
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        try (CpuDevice device = new CpuDevice(CpuDevice.preferredType(), 2);
                HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            Decoder decoder = new Decoder(ModelConfig.read(folder), checkpoint, device, 16, 4);
            String peak =
                    Files.readAllLines(Path.of("/proc/self/status")).stream()
                            .filter(line -> line.startsWith("VmHWM:"))
                            .findFirst()
                            .orElseThrow()
                            .replaceAll("[^0-9]", "");
            System.out.println(decoder.weightBytes() + " " + (Long.parseLong(peak) << 10));
        }
    }
}
